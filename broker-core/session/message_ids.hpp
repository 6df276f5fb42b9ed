// Makes message ids: milliseconds since 2026-01-01 UTC (43 bits) | node (5) | shard (4) | count (11). They
// rise on one shard even when the clock steps back, so the order of a publisher (who stays on its shard) is
// the order of its ids.
#pragma once

#include <algorithm>

#include "broker-core/types.hpp"

namespace wake::broker {

class MessageIds {
 public:
  MessageIds(unsigned node, unsigned shard)
      : origin_((std::uint64_t{node} & 31) << 15 | (std::uint64_t{shard} & 15) << 11) {}

  MessageId next(UtcTime utc) {
    constexpr UtcTime kEpoch{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(utc - kEpoch).count();
    const auto tick = static_cast<std::uint64_t>(std::max<std::int64_t>(ms, 0)) << 11;
    // More than 2048 in a millisecond borrow from the next ones.
    last_ = std::max(last_ + 1, tick);
    const std::uint64_t count = last_ & 0x7FF;
    return {static_cast<std::int64_t>((last_ >> 11) << 20 | origin_ | count)};
  }

 private:
  std::uint64_t origin_;
  std::uint64_t last_ = 0;  // milliseconds << 11 | count
};

}  // namespace wake::broker
