// So many a second, with a burst of one second's worth. Time is passed in.
#pragma once

#include <algorithm>

#include "broker-core/types.hpp"

namespace wake::gateway {

class TokenBucket {
 public:
  /// per_second 0: no limit.
  explicit TokenBucket(std::uint32_t per_second) : per_second_(per_second), tokens_(per_second) {}

  /// Takes one. False: none is left; there will be at ready_at().
  bool take(broker::SteadyTime now) {
    if (per_second_ == 0) return true;
    refill(now);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }
  /// When take() will succeed again, if nobody else takes meanwhile.
  broker::SteadyTime ready_at(broker::SteadyTime now) const {
    if (per_second_ == 0 || tokens_ >= 1) return now;
    const std::chrono::duration<double> wait((1 - tokens_) / per_second_);
    return now + std::chrono::ceil<std::chrono::microseconds>(wait);
  }

 private:
  void refill(broker::SteadyTime now) {
    if (last_ != broker::SteadyTime{} && now > last_) {
      const std::chrono::duration<double> passed = now - last_;
      tokens_ = std::min<double>(per_second_, tokens_ + passed.count() * per_second_);
    }
    last_ = std::max(last_, now);
  }

  std::uint32_t per_second_;
  double tokens_;
  broker::SteadyTime last_{};
};

}  // namespace wake::gateway
