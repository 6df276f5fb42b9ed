// How an entry moves between its states: bookkeeping of DispatchMachine, one function per step of
// notification_state.hpp.
#include <cassert>

#include "push/dispatch_entry.hpp"
#include "push/dispatch_machine.hpp"

namespace wake::push {

void DispatchMachine::step(Entry& entry, NotificationEvent event) {
  const auto to = next_state(entry.state, event);
  assert(to && "an event that is not in the table");
  if (entry.state == NotificationState::InFlight) --channels_[entry.channel]->in_flight;
  entry.state = *to;
}

// Ready to leave, unless it waits for its turn.
void DispatchMachine::make_ready(Entry& entry) {
  if (!take_turn(entry)) return;
  Channel& channel = *channels_[entry.channel];
  (entry.is_test() ? channel.ready_tests : channel.ready).insert(entry.ticket);
}

void DispatchMachine::again(Entry& entry, broker::Now now) {
  step(entry, NotificationEvent::Again);
  set_timer(entry, to_steady(entry.expires_at, now));
  make_ready(entry);
}

void DispatchMachine::delay(Entry& entry, broker::SteadyTime until, NotificationEvent event,
                            broker::Now now) {
  channels_[entry.channel]->ready.erase(entry.ticket);
  step(entry, event);
  set_timer(entry, std::min(until, to_steady(entry.expires_at, now)));
}

void DispatchMachine::resolve(Entry& entry, Resolution resolution, NotificationEvent event) {
  resolution.attempt_count = entry.notification.attempt_count;
  if (entry.is_test()) {
    return answer_test(entry, Verdict::DropMessage, std::move(resolution.reason), event);
  }
  effects_.resolutions.push_back(std::move(resolution));
  forget(entry, event);
}

// Without an answer of the provider's.
void DispatchMachine::answer_test(Entry& entry, Verdict verdict, std::string reason,
                                  NotificationEvent event) {
  Answer answer;
  answer.verdict = verdict;
  answer.reason = std::move(reason);
  effects_.tests.emplace_back(entry.ticket, std::move(answer));
  forget(entry, event);
}

// Somebody waits for it: what is wrong now is the outcome.
void DispatchMachine::answer_waiting_tests(Channel& channel, Verdict verdict, const std::string& reason) {
  while (!channel.ready_tests.empty()) {
    answer_test(*entries_.at(*channel.ready_tests.begin()), verdict, reason, NotificationEvent::Withdrawn);
  }
}

void DispatchMachine::forget(Entry& entry, NotificationEvent event) {
  Channel& channel = *channels_[entry.channel];
  step(entry, event);
  drop_timer(entry);
  channel.ready.erase(entry.ticket);
  channel.ready_tests.erase(entry.ticket);
  --channel.entry_count;
  if (!entry.is_test()) {
    ticket_by_key_.erase(entry.notification.key);
    tickets_of_phone_.erase({entry.phone(), entry.ticket});
  }
  if (const auto it = newest_.find(entry.replace_key); !entry.replace_key.empty() && it != newest_.end()) {
    if (--it->second.in_memory == 0) newest_.erase(it);
  }
  leave_lane(entry);
  entries_.erase(entry.ticket);  // `entry` ends here
}

void DispatchMachine::expire(Entry& entry, broker::Now now, NotificationEvent event) {
  const Channel& channel = *channels_[entry.channel];
  const std::string& why = channel.is_down() ? channel.down_reason : channel.trouble;
  if (entry.is_test()) {
    return answer_test(entry, channel.is_down() ? Verdict::ChannelDown : Verdict::Retry,
                       why.empty() ? "it could not be sent in time" : why, event);
  }
  resolve(entry,
          make_resolution(entry.notification.key, Resolution::Kind::Expired,
                          why.empty() ? "expired" : "expired: " + why, now.utc),
          event);
}

// What has its turn after it goes with it: kept here, it would overtake.
void DispatchMachine::release(Entry& entry, broker::UtcTime due_at, std::string reason, broker::Now now,
                              NotificationEvent event) {
  LaneOf* const lane = entry.lane;
  const bool has_turn = lane && lane->second.turn == entry.ticket;
  release_one(entry, due_at, std::move(reason), now, event);
  while (has_turn && lane->second.turn != 0) {
    release_one(*entries_.at(lane->second.turn), due_at, "comes after one that was given back", now,
                NotificationEvent::Withdrawn);
  }
}

void DispatchMachine::release_one(Entry& entry, broker::UtcTime due_at, std::string reason, broker::Now now,
                                  NotificationEvent event) {
  Resolution resolution =
      make_resolution(entry.notification.key, Resolution::Kind::Released, std::move(reason), now.utc);
  resolution.due_at = entry.lane ? note_given_back(*entry.lane, resolution.key.message_id, due_at) : due_at;
  resolve(entry, std::move(resolution), event);
}

void DispatchMachine::set_timer(Entry& entry, broker::SteadyTime at) {
  drop_timer(entry);
  entry.timer = at;
  timers_.emplace(at, entry.ticket);
}

void DispatchMachine::drop_timer(Entry& entry) {
  if (entry.timer) timers_.erase({*entry.timer, entry.ticket});
  entry.timer.reset();
}

void DispatchMachine::log(LogLevel level, const char* event, std::string text) {
  effects_.log.push_back({level, event, std::move(text)});
}

}  // namespace wake::push
