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

}  // namespace

DispatchMachine::LaneOf* DispatchMachine::lane_of(const Notification& notification) {
  if (is_silent(notification)) return nullptr;
  std::string key = std::to_string(notification.key.phone_id.value) + '/' + notification.message->topic;
  return &*lanes_.try_emplace(std::move(key)).first;
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
  if (lane.is_empty() && !lane.given_back) lanes_.erase(lanes_.find(entry.lane->first));
}

// True: it has gone after them.
bool DispatchMachine::follows_given_back(const Notification& notification, broker::Now now) {
  LaneOf* const of = lane_of(notification);
  if (!of) return false;
  Lane& lane = of->second;
  const broker::MessageId id = notification.key.message_id;
  const bool is_over = now.utc >= lane.due_again + kReturnsWithin;
  if (lane.given_back && !is_over && (now.utc < lane.due_again || id > *lane.given_back)) {
    turn_away(notification, now.utc, "comes after one that was given back", now);
    return true;
  }
  // One of those that return; with the last of them, or when they are not to be expected any more, all is as
  // before.
  if (lane.given_back && (is_over || id == *lane.given_back)) lane.given_back.reset();
  return false;
}

// The time at which it is due, so that the outbox has them in order.
broker::UtcTime DispatchMachine::note_given_back(Lane& lane, broker::MessageId message,
                                                 broker::UtcTime due_at) {
  lane.due_again = lane.given_back ? std::max(lane.due_again, due_at) : due_at;
  lane.given_back = lane.given_back ? std::max(*lane.given_back, message) : message;
  return lane.due_again;
}

void DispatchMachine::forget_idle_lanes(broker::UtcTime now) {
  std::erase_if(lanes_, [&](const LaneOf& of) {
    const Lane& lane = of.second;
    const bool is_over = lane.given_back && now >= lane.due_again + kReturnsWithin;
    return lane.is_empty() && (!lane.given_back || is_over);
  });
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
    Resolution resolution;
    resolution.key = loser.notification.key;
    resolution.kind = Resolution::Kind::Cancelled;
    resolution.reason = "replaced by a newer one";
    resolution.at = now.utc;
    resolve(loser, std::move(resolution), NotificationEvent::Withdrawn);
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
