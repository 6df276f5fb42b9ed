// Which push goes before which, and which replaces which: the lanes and the newest of DispatchMachine.
//
// Contract §2.6: of one topic, a phone is sent one alert at a time. The next leaves when the one before is
// resolved; so a retry, a hold or a lost answer delays what follows instead of being overtaken by it. Two
// pushes in the air would be quicker by a round trip, but then nobody knows which one a 503 was for until it
// is too late. What goes back to the outbox for a later try takes those behind it along, and what comes
// meanwhile follows them there: the outbox gives back in order of (due, message). Silent pushes have no
// lanes: of them the newest wins.
#include "push/dispatch_entry.hpp"
#include "push/dispatch_machine.hpp"

namespace wake::push {
namespace {

// What was given back is claimed again within a second or two of its time; later than this it was cancelled,
// or another node has it.
constexpr std::chrono::minutes kReturnsWithin{1};
// Remembered of one lane. Of more, the lane is free when these newest have returned or are cancelled.
constexpr std::size_t kMaxGivenBack = 256;

}  // namespace

DispatchMachine::LaneOf* DispatchMachine::lane_of(const Notification& notification) {
  if (is_silent(notification)) return nullptr;
  return &lane_of(notification.key.phone_id, notification.message->topic);
}

DispatchMachine::LaneOf& DispatchMachine::lane_of(broker::PhoneId phone, const std::string& topic) {
  LaneOf& of = *lanes_.try_emplace(std::to_string(phone.value) + '/' + topic).first;
  of.second.phone = phone;
  return of;
}

// What was due while nobody ran is due now: it has its time to return from here on.
void DispatchMachine::expect(const std::vector<WaitingAlert>& alerts, broker::Now now) {
  for (const WaitingAlert& alert : alerts) {
    note_given_back(lane_of(alert.key.phone_id, alert.topic), alert.key.message_id,
                    std::max(alert.due_at, now.utc));
  }
}

// False: another one has the turn, and this one waits behind it.
bool DispatchMachine::take_turn(Entry& entry) {
  if (!entry.lane) return true;
  Lane& lane = entry.lane->second;
  if (lane.turn == 0) lane.turn = entry.ticket;
  if (lane.turn == entry.ticket) return true;
  lane.waiting.emplace(entry.notification.key.message_id, entry.ticket);
  return false;
}

void DispatchMachine::leave_lane(Entry& entry) {
  if (!entry.lane) return;
  Lane& lane = entry.lane->second;
  lane.waiting.erase({entry.notification.key.message_id, entry.ticket});
  if (lane.turn == entry.ticket) {
    lane.turn = 0;
    if (!lane.waiting.empty()) {
      const Ticket next = lane.waiting.begin()->second;
      lane.waiting.erase(lane.waiting.begin());
      make_ready(*entries_.at(next));
    }
  }
  erase_if_idle(*entry.lane);
}

// True: it has gone after them.
bool DispatchMachine::follows_given_back(const Notification& notification, broker::Now now) {
  LaneOf* const of = lane_of(notification);
  if (!of) return false;
  Lane& lane = of->second;
  const broker::MessageId id = notification.key.message_id;
  if (lane.given_back.empty()) return false;
  const broker::MessageId last = *lane.given_back.rbegin();
  const bool is_over = now.utc >= lane.due_again + kReturnsWithin;
  if (!is_over && (now.utc < lane.due_again || id > last)) {
    turn_away(notification, now.utc, "comes after one that was given back", now);
    return true;
  }
  // One of those that return, in order; with the last of them, or when they are not to be expected any more,
  // all is as before.
  forget_given_back(lane, is_over ? last : id);
  return false;
}

// The time at which it is due, so that the outbox has them in order.
broker::UtcTime DispatchMachine::note_given_back(LaneOf& of, broker::MessageId message,
                                                 broker::UtcTime due_at) {
  Lane& lane = of.second;
  lane.due_again = lane.given_back.empty() ? due_at : std::max(lane.due_again, due_at);
  lane.given_back.insert(message);
  given_back_[{lane.phone, message}] = &of;
  if (lane.given_back.size() > kMaxGivenBack) forget_given_back(lane, *lane.given_back.begin());
  return lane.due_again;
}

void DispatchMachine::forget_given_back(Lane& lane, broker::MessageId up_to) {
  while (!lane.given_back.empty() && *lane.given_back.begin() <= up_to) {
    given_back_.erase({lane.phone, *lane.given_back.begin()});
    lane.given_back.erase(lane.given_back.begin());
  }
}

// It will not return, so nothing waits for it.
void DispatchMachine::forget_given_back(const NotificationKey& key) {
  const auto it = given_back_.find({key.phone_id, key.message_id});
  if (it == given_back_.end()) return;
  LaneOf& of = *it->second;
  of.second.given_back.erase(key.message_id);
  given_back_.erase(it);
  erase_if_idle(of);
}

void DispatchMachine::forget_given_back(broker::PhoneId phone) {
  for (auto it = given_back_.lower_bound({phone, {}}); it != given_back_.end() && it->first.first == phone;
       it = given_back_.lower_bound({phone, {}})) {
    forget_given_back({it->first.second, phone});
  }
}

void DispatchMachine::erase_if_idle(LaneOf& of) {
  if (of.second.is_empty() && of.second.given_back.empty()) lanes_.erase(lanes_.find(of.first));
}

void DispatchMachine::forget_idle_lanes(broker::UtcTime now) {
  for (auto it = lanes_.begin(); it != lanes_.end();) {
    Lane& lane = it->second;
    const bool is_over = now >= lane.due_again + kReturnsWithin;
    if (is_over && !lane.given_back.empty()) forget_given_back(lane, *lane.given_back.rbegin());
    it = lane.is_empty() && lane.given_back.empty() ? lanes_.erase(it) : std::next(it);
  }
}

// Silent pushes: newest wins (contract §8). A collapsing entry: a repeat must not replace what is newer
// (contract §2.6).
void DispatchMachine::note_replacement(Entry& entry, broker::Now now) {
  const Notification& notification = entry.notification;
  const bool has_own_collapse = notification.entry && !notification.entry->push.collapse.empty();
  if (!is_silent(notification) && !has_own_collapse) return;
  entry.replace_key = std::to_string(entry.phone().value) + '/';
  if (!is_silent(notification)) entry.replace_key += collapse_id_of(notification);
  Newest& newest = newest_[entry.replace_key];
  ++newest.in_memory;
  const auto other = entries_.find(newest.ticket);
  const auto replace = [&](Entry& loser) {
    resolve(loser,
            make_resolution(loser.notification.key, Resolution::Kind::Cancelled, "replaced by a newer one",
                            now.utc),
            NotificationEvent::Withdrawn);
  };
  if (other != entries_.end() && other->second->notification.key.message_id > notification.key.message_id) {
    return replace(entry);
  }
  const Ticket older = std::exchange(newest.ticket, entry.ticket);
  const bool may_replace = other != entries_.end() && older != entry.ticket &&
                           (other->second->state == NotificationState::Delayed ||
                            (other->second->state == NotificationState::Ready && is_silent(notification)));
  if (may_replace) replace(*other->second);
}

bool DispatchMachine::is_replaced(const Entry& entry) const {
  const auto it = newest_.find(entry.replace_key);
  return !entry.replace_key.empty() && it != newest_.end() && it->second.ticket != entry.ticket;
}

}  // namespace wake::push
