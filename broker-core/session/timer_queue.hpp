// All deadlines of a shard in one heap. Entries are never taken out early: the owner looks, when one is due,
// whether it still means anything (generation, or its own newer deadline) and re-arms. So a keep-alive costs
// nothing per packet.
#pragma once

#include <optional>
#include <queue>
#include <vector>

#include "broker-core/types.hpp"

namespace wake::broker {

struct Timer {
  enum class Kind : std::uint8_t {
    Connection,    // connect timeout, then keep-alive; key: ConnectionId
    SessionEnd,    // key: session slot and generation
    WillDelay,     // key: session slot and generation
    HeldNotice,    // key: session slot and generation; message
    RetainedSlice  // key: session slot and generation
  };
  SteadyTime due;
  Kind kind;
  std::uint64_t key = 0;
  MessageId message;
  friend bool operator>(const Timer& a, const Timer& b) { return a.due > b.due; }
};

class TimerQueue {
 public:
  void arm(Timer timer) { heap_.push(timer); }
  std::optional<SteadyTime> next() const {
    return heap_.empty() ? std::nullopt : std::optional(heap_.top().due);
  }
  /// The earliest that is due, taken out.
  std::optional<Timer> pop_due(SteadyTime now) {
    if (heap_.empty() || heap_.top().due > now) return std::nullopt;
    Timer timer = heap_.top();
    heap_.pop();
    return timer;
  }

 private:
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> heap_;
};

}  // namespace wake::broker
