// Counts failures per key (an account, an address, a device) in fixed windows and says when there were too
// many. In memory and bounded: guessing gets slow, an honest mistake does not lock anybody out for long. One
// node's view only.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

#include "broker-core/types.hpp"

namespace wake::gateway {

struct ThrottleOptions {
  int max_failures = 20;  // in one window; the next try is turned away
  std::chrono::steady_clock::duration window = std::chrono::minutes(1);
  std::size_t max_keys = 20'000;  // when full, the window starts anew for all
};

/// Thread: any.
class FailureThrottle {
 public:
  explicit FailureThrottle(ThrottleOptions options) : options_(options) {}
  /// Had this key more than max_failures in the window that `now` is in?
  bool is_blocked(const std::string& key, broker::SteadyTime now);
  void count_failure(const std::string& key, broker::SteadyTime now);
  /// A success: the key's failures are forgotten.
  void forget(const std::string& key);

 private:
  void turn(broker::SteadyTime now);

  const ThrottleOptions options_;
  std::mutex mutex_;
  broker::SteadyTime window_end_{};
  std::unordered_map<std::string, int> failures_;
};

}  // namespace wake::gateway
