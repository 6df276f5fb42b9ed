// What the webhook has to say about itself: to /metrics and /readyz.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace wake::gateway {

struct WebhookStatus {
  /// Upper bounds in microseconds; what is above the last is counted behind them.
  static constexpr std::array<std::int64_t, 9> kLatencyBounds{
      5'000, 10'000, 25'000, 50'000, 100'000, 250'000, 1'000'000, 2'500'000, 5'000'000};
  std::uint64_t allowed = 0, denied = 0;
  std::uint64_t failed = 0;       // no answer in time, or none that can be understood
  std::uint64_t turned_away = 0;  // not asked, since as many waited as may
  std::size_t waiting = 0;        // log-ins now, with those whose question is under way
  std::array<std::uint64_t, kLatencyBounds.size() + 1> latency_counts{};  // asked to answered or given up
  std::uint64_t latency_sum_us = 0;
  std::string trouble{};  // empty: the last question was answered
};

/// Counted by many threads.
class WebhookCounters {
 public:
  enum class Outcome { Allowed, Denied, Failed };

  /// `why`: of a failure. True: it has begun to fail, or to answer again.
  bool note(Outcome outcome, std::chrono::microseconds took, const std::string& why) {
    const std::lock_guard lock(mutex_);
    ++(outcome == Outcome::Allowed  ? status_.allowed
       : outcome == Outcome::Denied ? status_.denied
                                    : status_.failed);
    std::size_t bucket = 0;
    while (bucket < WebhookStatus::kLatencyBounds.size() &&
           took.count() > WebhookStatus::kLatencyBounds[bucket])
      ++bucket;
    ++status_.latency_counts[bucket];
    status_.latency_sum_us += static_cast<std::uint64_t>(took.count());
    const std::string before =
        std::exchange(status_.trouble, outcome == Outcome::Failed ? why : std::string());
    return before.empty() != status_.trouble.empty();
  }
  void note_turned_away() {
    const std::lock_guard lock(mutex_);
    ++status_.turned_away;
  }
  WebhookStatus status(std::size_t waiting) const {
    const std::lock_guard lock(mutex_);
    WebhookStatus status = status_;
    status.waiting = waiting;
    return status;
  }

 private:
  mutable std::mutex mutex_;
  WebhookStatus status_;
};

}  // namespace wake::gateway
