// When to try again. Pure: the time, the random number and the provider's wish are arguments.
// Sources: Apple, "Handling notification responses from APNs"; Firebase, "Scale FCM": never sooner than 10 s.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "broker-core/delivery/records.hpp"

namespace wake::push {

/// A message that nothing bounds is still not retried for longer than this after it was published.
inline constexpr std::chrono::hours kRetryCeiling{24};
/// 429 without Retry-After, for a whole app (Google's number; Apple's "after a while").
inline constexpr std::chrono::seconds kDefaultHold{60};
/// A phone that is sent too much: 30 s, doubling.
inline constexpr std::chrono::seconds kFirstPhoneHold{30};
inline constexpr std::chrono::seconds kLongestPhoneHold{15 * 60};

struct RetryQuestion {
  broker::Platform platform = broker::Platform::Apns;
  int attempt_count = 1;  // tries made, this one included; at least 1
  std::optional<std::chrono::seconds> retry_after;
  broker::UtcTime now{};
  broker::UtcTime expires_at = broker::kNever;
  double random = 0.5;  // 0..1
};

/// APNs 5 s, 20 s, 60 s, 5 min, then every 15 min, +-20 %. FCM 10 s doubling to 15 min, +0..20 % (never below
/// Google's floor). Retry-After is a floor for both. Nothing when the message would have expired by then.
std::optional<broker::UtcTime> next_retry_at(const RetryQuestion& question);

/// How long a phone rests after being told "too many" for the `step`-th time in a row, from 0.
std::chrono::seconds phone_hold(int step, std::optional<std::chrono::seconds> retry_after);

/// Retry-After: seconds, or an HTTP date (RFC 9110 §10.2.3). Nothing when it is neither; capped at one day.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, broker::UtcTime now);

}  // namespace wake::push
