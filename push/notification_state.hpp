// A notification inside the dispatcher: its states and what moves it between them. An event that is not in
// the table cannot happen; dispatch_machine.cpp asserts it. What the outbox is told at each step is beside
// the row.
#pragma once

#include <cstdint>
#include <optional>

namespace wake::push {

enum class NotificationState : std::uint8_t {
  Ready,     // in its channel's queue
  Delayed,   // waits for a time: a retry, a phone that rests
  InFlight,  // with the provider
  Gone,      // resolved, or given back
};

enum class NotificationEvent : std::uint8_t {
  Taken,      // there was room
  Due,        // its time came
  Postponed,  // its phone rests
  Settled,    // the answer was the last word
  Again,      // the answer asks for another try at once
  Later,      // the answer asks for another try after a time
  Withdrawn,  // acknowledged, superseded, expired, or given back, before it left
};

struct NotificationStep {
  NotificationState from;
  NotificationEvent event;
  NotificationState to;
};

inline constexpr NotificationStep kNotificationSteps[] = {
    {NotificationState::Ready, NotificationEvent::Taken, NotificationState::InFlight},     // -
    {NotificationState::Ready, NotificationEvent::Postponed, NotificationState::Delayed},  // -
    {NotificationState::Ready, NotificationEvent::Withdrawn,
     NotificationState::Gone},  // Cancelled Expired Released
    {NotificationState::Delayed, NotificationEvent::Due, NotificationState::Ready},  // -
    {NotificationState::Delayed, NotificationEvent::Withdrawn,
     NotificationState::Gone},  // Cancelled Expired Released
    {NotificationState::InFlight, NotificationEvent::Settled,
     NotificationState::Gone},  // Sent Failed Cancelled Expired
    {NotificationState::InFlight, NotificationEvent::Again, NotificationState::Ready},    // -
    {NotificationState::InFlight, NotificationEvent::Later, NotificationState::Delayed},  // RetryAt
    {NotificationState::InFlight, NotificationEvent::Withdrawn,
     NotificationState::Gone},  // Released, at stop
};

constexpr std::optional<NotificationState> next_state(NotificationState from, NotificationEvent event) {
  for (const NotificationStep& step : kNotificationSteps) {
    if (step.from == from && step.event == event) return step.to;
  }
  return std::nullopt;
}

}  // namespace wake::push
