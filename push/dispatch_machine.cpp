// Queues, timers and the ways in and out. What an answer means is in dispatch_answers.cpp, what goes before
// what in dispatch_order.cpp.
#include "push/dispatch_machine.hpp"

#include <algorithm>
#include <cassert>

#include "push/channel_advice.hpp"
#include "push/dispatch_entry.hpp"
#include "push/retry_policy.hpp"

namespace wake::push {
namespace {

using Kind = Resolution::Kind;

// A policy with ttl 0 means now or never: not stored by the provider, and not by us for longer than this.
constexpr std::chrono::seconds kNowOrNever{5};

broker::UtcTime bounded_expiry(const Notification& notification, broker::UtcTime now) {
  const bool is_now_or_never = notification.entry && notification.entry->push.ttl_s == 0;
  if (is_now_or_never) return now + kNowOrNever;
  const bool is_bounded = notification.expires_at != broker::kNever;
  return is_bounded ? notification.expires_at : notification.message->at + kRetryCeiling;
}

std::string missing_configuration(const ChannelKey& key) {
  return "no [[push.app]] in the configuration for " + to_string(key);
}

}  // namespace

ChannelKey channel_key_of(const AppOptions& options) {
  const bool is_apns = options.platform == broker::Platform::Apns;
  return {options.id, options.platform, is_apns ? options.environment : broker::Environment::Production};
}

std::string to_string(const ChannelKey& key) {
  if (key.platform == broker::Platform::Fcm) return "id \"" + key.app_id + "\", platform \"fcm\"";
  const bool is_production = key.environment == broker::Environment::Production;
  return "id \"" + key.app_id + "\", platform \"apns\", environment \"" +
         (is_production ? "production\"" : "sandbox\"");
}

DispatchMachine::DispatchMachine(DispatchLimits limits, Random random)
    : limits_(limits), random_(std::move(random)) {}
DispatchMachine::~DispatchMachine() = default;

ChannelIndex DispatchMachine::open_channel(const ChannelKey& key, broker::Now) {
  const auto [it, is_new] = channel_by_key_.try_emplace(key, channels_.size());
  if (is_new) {
    channels_.push_back(std::make_unique<Channel>());
    channels_.back()->key = key;
    channels_.back()->index = it->second;
  }
  Channel& channel = *channels_[it->second];
  channel.is_configured = true;
  channel.held_until = {};
  channel.guard = {};
  channel.trouble.clear();
  if (channel.is_down()) bring_up(channel);
  return it->second;
}

void DispatchMachine::close_channel(ChannelIndex index, broker::Now now) {
  Channel& channel = *channels_[index];
  channel.is_configured = false;
  std::vector<Ticket> waiting;
  for (const auto& [ticket, entry] : entries_) {
    if (entry->channel == index && entry->state != NotificationState::InFlight) waiting.push_back(ticket);
  }
  for (const Ticket ticket : waiting) {
    Entry& entry = *entries_.at(ticket);
    resolve(
        entry,
        make_resolution(entry.notification.key, Kind::Failed, missing_configuration(channel.key), now.utc),
        NotificationEvent::Withdrawn);
  }
}

std::optional<ChannelIndex> DispatchMachine::find_channel(const ChannelKey& key) const {
  const auto it = channel_by_key_.find(key);
  if (it == channel_by_key_.end() || !channels_[it->second]->is_configured) return std::nullopt;
  return it->second;
}

// The registered environment's channel; when there is none and the environment is a guess, the other's.
bool DispatchMachine::choose_channel(const Notification& notification, ChannelIndex& channel,
                                     bool& is_other) const {
  const broker::DeviceToken& token = notification.token;
  const bool is_apns = token.platform == broker::Platform::Apns;
  ChannelKey key{token.app_id, token.platform, is_apns ? token.environment : broker::Environment::Production};
  auto found = find_channel(key);
  is_other = !found && is_apns && !token.environment_proven;
  if (is_other) {
    const bool was_production = key.environment == broker::Environment::Production;
    key.environment = was_production ? broker::Environment::Sandbox : broker::Environment::Production;
    found = find_channel(key);
  }
  if (found) channel = *found;
  return found.has_value();
}

void DispatchMachine::submit(Notification notification, broker::Now now) {
  if (ticket_by_key_.contains(notification.key)) return;
  const NotificationKey key = notification.key;
  const auto refuse = [&](Kind kind, std::string reason) {
    forget_given_back(key);
    effects_.resolutions.push_back(make_resolution(key, kind, std::move(reason), now.utc));
    effects_.resolutions.back().attempt_count = notification.attempt_count;
  };
  if (!notification.message) return refuse(Kind::Failed, "the message is gone");
  if (notification.token.token.empty()) return refuse(Kind::Failed, "the phone has no token");
  if (bounded_expiry(notification, now.utc) <= now.utc) return refuse(Kind::Expired, "expired");
  ChannelIndex index = 0;
  bool is_other = false;
  if (!choose_channel(notification, index, is_other)) {
    const broker::DeviceToken& token = notification.token;
    const std::string reason = missing_configuration({token.app_id, token.platform, token.environment});
    log(LogLevel::Error, "push.not_configured", reason);
    return refuse(Kind::Failed, reason);
  }
  if (follows_given_back(notification, now)) return;
  if (is_full(*channels_[index], notification, now)) return;
  admit(std::move(notification), index, now, is_other);
}

bool DispatchMachine::is_full(const Channel& channel, const Notification& notification, broker::Now now) {
  const bool is_full =
      entries_.size() >= limits_.max_in_memory || channel.entry_count >= limits_.max_per_channel;
  const bool is_enough = channel.is_down() && channel.ready.size() >= limits_.max_while_down;
  if (!is_full && !is_enough) return false;
  const auto wait = is_enough ? limits_.probe_every : limits_.give_back_for;
  const auto jitter = std::chrono::milliseconds{static_cast<std::int64_t>(random_() * 5000)};
  turn_away(notification, now.utc + wait + jitter, is_enough ? channel.down_reason : "no room in memory",
            now);
  return true;
}

// Given back before it came in.
void DispatchMachine::turn_away(const Notification& notification, broker::UtcTime due_at, std::string reason,
                                broker::Now now) {
  Resolution resolution = make_resolution(notification.key, Kind::Released, std::move(reason), now.utc);
  LaneOf* const lane = lane_of(notification);
  resolution.due_at = lane ? note_given_back(*lane, notification.key.message_id, due_at) : due_at;
  resolution.attempt_count = notification.attempt_count;
  effects_.resolutions.push_back(std::move(resolution));
}

Ticket DispatchMachine::admit(Notification notification, ChannelIndex index, broker::Now now, bool is_other) {
  const Ticket ticket = ++last_ticket_;
  Entry& entry = *entries_.emplace(ticket, std::make_unique<Entry>()).first->second;
  entry.ticket = ticket;
  entry.notification = std::move(notification);
  entry.registered_environment = entry.notification.token.environment;
  entry.channel = index;
  entry.has_tried_other = is_other;
  entry.notification.token.environment = channels_[index]->key.environment;
  const broker::UtcTime test_end = now.utc + limits_.test_timeout;
  entry.expires_at = entry.is_test() ? test_end : bounded_expiry(entry.notification, now.utc);
  ++channels_[index]->entry_count;
  if (!entry.is_test()) {
    ticket_by_key_.emplace(entry.notification.key, ticket);
    tickets_of_phone_.emplace(entry.phone(), ticket);
    note_replacement(entry, now);
  }
  if (entries_.contains(ticket)) {
    if (!entry.is_test()) entry.lane = lane_of(entry.notification);
    set_timer(entry, to_steady(entry.expires_at, now));
    make_ready(entry);
  }
  return ticket;
}

Ticket DispatchMachine::submit_test(Notification notification, broker::Now now) {
  notification.is_test = true;
  ChannelIndex index = 0;
  bool is_other = false;
  if (notification.message && choose_channel(notification, index, is_other)) {
    return admit(std::move(notification), index, now, is_other);
  }
  Answer answer;
  answer.verdict = Verdict::DropMessage;
  const broker::DeviceToken& token = notification.token;
  answer.reason = missing_configuration({token.app_id, token.platform, token.environment});
  effects_.tests.emplace_back(++last_ticket_, std::move(answer));
  return last_ticket_;
}

void DispatchMachine::cancel(const NotificationKey& key, broker::Now now) {
  const auto it = ticket_by_key_.find(key);
  if (it == ticket_by_key_.end()) return forget_given_back(key);
  Entry& entry = *entries_.at(it->second);
  if (entry.state == NotificationState::InFlight) {
    entry.is_withdrawn = true;
    return;
  }
  resolve(entry, make_resolution(key, Kind::Cancelled, "acknowledged", now.utc),
          NotificationEvent::Withdrawn);
}

void DispatchMachine::recall(broker::PhoneId phone, broker::Now now) {
  std::vector<Ticket> tickets;
  for (auto it = tickets_of_phone_.lower_bound({phone, 0});
       it != tickets_of_phone_.end() && it->first == phone; ++it)
    tickets.push_back(it->second);
  for (const Ticket ticket : tickets) {
    const auto found = entries_.find(ticket);
    if (found == entries_.end()) continue;  // went back with the one before it in its lane
    Entry& entry = *found->second;
    if (entry.state == NotificationState::InFlight) {
      entry.is_recalled = true;
    } else {
      give_back(entry, "the phone changed", now);
    }
  }
}

std::optional<DispatchMachine::Send> DispatchMachine::next(ChannelIndex index, broker::Now now) {
  Channel& channel = *channels_[index];
  while (has_work(index, now)) {
    const bool is_test = !channel.ready_tests.empty();
    std::set<Ticket>& queue = is_test ? channel.ready_tests : channel.ready;
    auto it = queue.begin();
    // A probe takes another one each time: the fault may be one notification's own.
    if (channel.is_down() && !is_test && queue.upper_bound(channel.last_probe) != queue.end()) {
      it = queue.upper_bound(channel.last_probe);
    }
    Entry& entry = *entries_.at(*it);
    if (now.utc >= entry.expires_at) {
      expire(entry, now, NotificationEvent::Withdrawn);
      continue;
    }
    if (!is_test && may_not_leave_yet(entry, now)) continue;
    queue.erase(it);
    step(entry, NotificationEvent::Taken);
    drop_timer(entry);
    entry.sent_at = now.utc;
    ++channel.in_flight;
    if (limits_.per_second > 0 && !is_test) {
      // A tenth of a second may leave together, so that the shell's timer is no brake.
      const auto begins = std::max(channel.paced_until, now.steady - std::chrono::milliseconds(100));
      channel.paced_until = begins + broker::Duration(std::chrono::seconds(1)) / limits_.per_second;
    }
    if (channel.is_down() && !is_test) {
      channel.last_probe = entry.ticket;
      channel.next_probe = now.steady + limits_.probe_every;
    }
    return Send{entry.ticket, &entry.notification, entry.is_without_payload};
  }
  return std::nullopt;
}

// True: it was put aside until its phone may have it.
bool DispatchMachine::may_not_leave_yet(Entry& entry, broker::Now now) {
  broker::SteadyTime until{};
  if (const auto rest = resting_.find(entry.phone()); rest != resting_.end()) until = rest->second.until;
  if (is_silent(entry.notification) && entry.notification.attempt_count == 0) {
    const auto [last, is_first] = last_silent_.try_emplace(entry.phone(), now.steady);
    const auto free_at = last->second + limits_.silent_every;
    if (!is_first && now.steady < free_at) {
      until = std::max(until, free_at);
    } else {
      last->second = now.steady;
    }
  }
  if (until <= now.steady) return false;
  delay(entry, until, NotificationEvent::Postponed, now);
  return true;
}

bool DispatchMachine::has_work(ChannelIndex index, broker::Now now) const {
  const Channel& channel = *channels_[index];
  if (!channel.ready_tests.empty()) return true;
  if (channel.ready.empty() || now.steady < channel.held_until || now.steady < channel.paced_until)
    return false;
  return !channel.is_down() || now.steady >= channel.next_probe;
}

void DispatchMachine::on_time(broker::Now now) {
  while (!timers_.empty() && timers_.begin()->first <= now.steady) {
    Entry& entry = *entries_.at(timers_.begin()->second);
    drop_timer(entry);
    if (now.utc >= entry.expires_at || entry.state == NotificationState::Ready) {
      expire(entry, now, NotificationEvent::Withdrawn);
    } else {
      step(entry, NotificationEvent::Due);
      make_ready(entry);
      set_timer(entry, to_steady(entry.expires_at, now));
    }
  }
  forget_old_phones(now);
}

// Bounded work: looks through the phones only after their number has doubled.
void DispatchMachine::forget_old_phones(broker::Now now) {
  if (resting_.size() + last_silent_.size() + lanes_.size() < forget_phones_at_) return;
  forget_idle_lanes(now.utc);
  std::erase_if(resting_,
                [&](const auto& rest) { return rest.second.until + kLongestPhoneHold < now.steady; });
  std::erase_if(last_silent_,
                [&](const auto& last) { return last.second + limits_.silent_every < now.steady; });
  forget_phones_at_ =
      std::max<std::size_t>(1024, 2 * (resting_.size() + last_silent_.size() + lanes_.size()));
}

std::optional<broker::SteadyTime> DispatchMachine::next_deadline(broker::Now now) const {
  std::optional<broker::SteadyTime> next;
  const auto take = [&](broker::SteadyTime at) { next = next ? std::min(*next, at) : at; };
  if (!timers_.empty()) take(timers_.begin()->first);
  for (const auto& channel : channels_) {
    if (channel->ready.empty()) continue;
    if (channel->held_until > now.steady) take(channel->held_until);
    if (channel->paced_until > now.steady) take(channel->paced_until);
    if (channel->is_down() && channel->next_probe > now.steady) take(channel->next_probe);
  }
  return next;
}

void DispatchMachine::give_back_all(broker::Now now) {
  std::vector<Ticket> tickets;
  for (const auto& [ticket, entry] : entries_) tickets.push_back(ticket);
  std::sort(tickets.begin(), tickets.end());
  for (const Ticket ticket : tickets) {
    const auto found = entries_.find(ticket);
    if (found == entries_.end()) continue;  // as in recall()
    Entry& entry = *found->second;
    if (entry.is_test()) {
      const bool is_in_flight = entry.state == NotificationState::InFlight;
      answer_test(entry, Verdict::Retry, kStopping,
                  is_in_flight ? NotificationEvent::Settled : NotificationEvent::Withdrawn);
      continue;
    }
    if (entry.state == NotificationState::InFlight) ++entry.notification.attempt_count;
    give_back(entry, "stopped", now);
  }
}

// What waits for a time keeps it.
void DispatchMachine::give_back(Entry& entry, const char* reason, broker::Now now) {
  const bool is_waiting = entry.state == NotificationState::Delayed && entry.timer;
  const auto wait = is_waiting ? std::max(*entry.timer - now.steady, broker::Duration{}) : broker::Duration{};
  release(entry, now.utc + std::chrono::floor<std::chrono::microseconds>(wait), reason, now,
          NotificationEvent::Withdrawn);
}

std::size_t DispatchMachine::in_flight() const {
  std::size_t count = 0;
  for (const auto& channel : channels_) count += channel->in_flight;
  return count;
}

std::vector<ChannelStatus> DispatchMachine::status() const {
  std::vector<ChannelStatus> result;
  for (const auto& channel : channels_) {
    if (!channel->is_configured) continue;
    ChannelStatus status;
    status.key = channel->key;
    status.is_ready = !channel->is_down();
    status.detail = channel->down_reason;
    if (!channel->is_down() && !channel->trouble.empty())
      status.detail = channel->trouble + ": " + std::string(advice_for_trouble(channel->trouble));
    status.queued = channel->ready.size() + channel->ready_tests.size();
    status.in_flight = channel->in_flight;
    status.delayed = channel->entry_count - status.queued - status.in_flight;
    status.answers = channel->answers;
    result.push_back(std::move(status));
  }
  return result;
}

}  // namespace wake::push
