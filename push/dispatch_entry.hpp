// What DispatchMachine keeps of a notification and of a channel. Included by dispatch_*.cpp only.
#pragma once

#include <algorithm>

#include "push/dispatch_machine.hpp"

namespace wake::push {

struct DispatchMachine::Entry {
  Ticket ticket = 0;
  Notification notification;  // its token's environment is where it is being tried
  broker::Environment registered_environment{};
  ChannelIndex channel = 0;
  NotificationState state = NotificationState::Ready;
  std::optional<broker::SteadyTime> timer;  // its place in timers_
  broker::UtcTime expires_at{};             // the notification's, bounded
  broker::UtcTime sent_at{};                // of the last try
  std::string replace_key;                  // of newest_; empty: replaces nothing
  LaneOf* lane = nullptr;                   // null: a test, or silent
  int refusal_count = 0;                    // tries that the provider surely never saw
  bool is_without_payload = false;
  bool has_tried_other = false;  // environment
  bool has_refreshed = false;    // credential
  bool is_withdrawn = false;     // acknowledged while in flight
  bool is_recalled = false;      // its phone changed while in flight

  broker::PhoneId phone() const { return notification.key.phone_id; }
  bool is_test() const { return notification.is_test; }
};

struct DispatchMachine::Channel {
  ChannelKey key;
  ChannelIndex index = 0;
  bool is_configured = true;
  std::string down_reason;  // empty: up
  std::string trouble;      // being retried by the provider
  bool is_storm = false;    // down because too many tokens looked dead
  bool is_refused = false;  // down because no access token is to be had
  broker::SteadyTime next_probe{};
  Ticket last_probe = 0;
  broker::SteadyTime held_until{};   // 429 for the whole app
  broker::SteadyTime paced_until{};  // DispatchLimits::per_second
  std::set<Ticket> ready;            // in order of arrival
  std::set<Ticket> ready_tests;
  std::size_t entry_count = 0;
  std::size_t in_flight = 0;
  std::uint64_t accepted_count = 0;
  StormGuard guard;
  std::map<std::pair<Verdict, std::string>, std::uint64_t> answers;

  bool is_down() const { return !down_reason.empty(); }
};

inline Resolution make_resolution(const NotificationKey& key, Resolution::Kind kind, std::string reason,
                                  broker::UtcTime at) {
  Resolution resolution;
  resolution.key = key;
  resolution.kind = kind;
  resolution.reason = std::move(reason);
  resolution.at = at;
  return resolution;
}

/// `utc` on the steady clock, given both now; kNever stays far away.
inline broker::SteadyTime to_steady(broker::UtcTime utc, broker::Now now) {
  constexpr std::chrono::hours kFar{24 * 365};
  const auto wait = utc - std::min(now.utc, utc);
  return now.steady + (wait > kFar ? kFar : wait);
}

}  // namespace wake::push
