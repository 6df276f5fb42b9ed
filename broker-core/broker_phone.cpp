// Phones: their topic entries in the tree, their presence (contract §2.3), and the notifications that wait
// here: for their row to be committed, or for the moment at which decide() said to ask again. What has left
// this shard is the dispatcher's.
#include <algorithm>
#include <iterator>
#include <utility>

#include "broker-core/access/rule_pattern.hpp"
#include "broker-core/broker_state.hpp"
#include "broker-core/delivery/event_entry.hpp"
#include "broker-core/delivery/publisher_wishes.hpp"
#include "broker-core/session/session_expiry.hpp"

namespace wake::broker {

namespace {

/// A notification for one reaches the other. (When it was registered, and whether its environment is proven,
/// say nothing.)
bool is_same_target(const DeviceToken& a, const DeviceToken& b) {
  return a.platform == b.platform && a.app_id == b.app_id && a.kind == b.kind && a.token == b.token;
}

bool has_entry(const std::vector<std::shared_ptr<const EntryRecord>>& entries, EntryId id) {
  return std::any_of(entries.begin(), entries.end(), [id](const auto& entry) { return entry->id == id; });
}

/// What pairings and rules let the user read. (Not the session's own grants: those of a phone that has not
/// been here since the start are unknown.)
Grants grants_of(const UserRecord& user, const ClientId& client_id) {
  Grants grants;
  grants.device_ids = user.device_ids;
  for (const std::string& pattern : user.read_rules) {
    if (auto filter = fill_in_rule(pattern, user.username, client_id.value))
      grants.rules.push_back({.may_publish = false, .may_subscribe = true, .filter = std::move(*filter)});
  }
  return grants;
}

/// An entry with a device goes with the pairing; one without may have been made by a rule that is gone.
bool is_permitted(const EntryRecord& entry, const Grants& grants) {
  return entry.is_granted || !entry.device_id.empty() || grants.may_subscribe(entry.filter);
}

/// Entries that came or went with a device are no news: `paired` and `unpaired` say so.
bool has_other_topics(const UserRecord& before, const UserRecord& after) {
  const auto is_same = [](const auto& a, const auto& b) { return *a == *b; };
  return before.device_ids == after.device_ids && !std::ranges::equal(before.entries, after.entries, is_same);
}

/// Of an entry that is gone or switched off nothing leaves.
bool may_ring(const PhonePart& phone, const EntryRecord& entry) {
  return is_event_entry(entry) || has_entry(phone.entries, entry.id);
}
}  // namespace

// ---- the registry
// ---------------------------------------------------------------------------------------------------------

void Broker::State::apply_user(const UserRecordPtr& user, Now now) {
  for (const PhoneRecord& record : user->phones) {
    if (home_shard(record.client_id.value, identity.shard_count) == identity.shard)
      apply_phone(user, record, now);
  }
  const auto found = sessions_of_user.find(std::to_string(user->id.value));
  if (found == sessions_of_user.end()) return;
  for (const std::uint32_t slot : std::vector(found->second)) {
    Session& session = *sessions[slot];
    if (session.phone && session.phone->user != user) {  // no longer among the user's phones
      forget_phone(session, now);
      if (!session.is_connected()) {
        remove(session, now);
        continue;
      }
    }
    const std::vector<std::string> before = std::exchange(session.grants.device_ids, user->device_ids);
    std::sort(session.grants.device_ids.begin(), session.grants.device_ids.end());
    if (session.is_connected() || !session.grants.rules.empty()) {
      revoke_subscriptions(session);
    } else {
      // Its rules are known when it returns; what it had by a pairing that is over must not queue up until
      // then.
      std::vector<std::string> unpaired;
      std::set_difference(before.begin(), before.end(), session.grants.device_ids.begin(),
                          session.grants.device_ids.end(), std::back_inserter(unpaired));
      if (!unpaired.empty()) revoke_devices(session, unpaired);
    }
  }
}

void Broker::State::apply_phone(const UserRecordPtr& user, const PhoneRecord& record, Now now) {
  Session* session = find_session(record.client_id.value);
  if (!session) {
    session =
        &make_session(record.client_id,
                      {Principal::Kind::User, std::to_string(user->id.value), user->username}, kNeverExpires);
    set_row(*session, true);  // written with the phone
  }
  if (!session->phone) {
    session->phone = std::make_unique<PhonePart>();
    session->phone->state = session->is_connected() ? PhoneState::Foreground : PhoneState::Offline;
    session->expiry_s = kNeverExpires;
    session->ends_at = kNever;
    store_row(*session);
  }
  if (session->phone->user && session->is_connected() && has_other_topics(*session->phone->user, *user))
    send_direct(*session, std::string(kEventTopic), std::string(kTopicsChanged), now);
  const PhoneRecord& before = session->phone->record;
  if (session->phone->user && (before.id != record.id || !is_same_target(before.token, record.token)))
    effects.push_back(RecallNotices{before.id});
  session->phone->user = user;
  session->phone->record = record;
  session_of_phone[record.id] = session->slot;
  index_entries(*session, user);
}

void Broker::State::index_entries(Session& session, const UserRecordPtr& user) {
  PhonePart& phone = *session.phone;
  // New ones first, so that a filter that stays is not withdrawn from other shards in between.
  std::vector<std::shared_ptr<const EntryRecord>> before = std::move(phone.entries);
  phone.entries.clear();
  const Grants tables = grants_of(*user, session.client_id);
  for (const auto& entry : user->entries) {
    if (entry->subscribed && is_permitted(*entry, tables)) phone.entries.push_back(entry);
  }
  const auto slot_of_entry = [](std::size_t i) { return static_cast<std::uint32_t>(i); };
  for (std::size_t i = 0; i < phone.entries.size(); ++i) {
    index(phone.entries[i]->filter, {Subscriber::Kind::Entry, session.slot, slot_of_entry(i)}, {});
  }
  for (std::size_t i = 0; i < before.size(); ++i) {
    const bool stays = i < phone.entries.size() && phone.entries[i]->filter == before[i]->filter;
    if (!stays) unindex(before[i]->filter, {Subscriber::Kind::Entry, session.slot, slot_of_entry(i)});
  }
  std::vector<MessageId> revoked;
  for (const auto& [message, notice] : phone.held) {
    if (!may_ring(phone, *notice.entry)) revoked.push_back(message);
  }
  for (const MessageId message : revoked) cancel_notice(session, message, "no longer subscribed");
  const auto is_gone = [&phone](const auto& entry) { return !has_entry(phone.entries, entry->id); };
  if (std::any_of(before.begin(), before.end(), is_gone)) effects.push_back(RecallNotices{phone.record.id});
}

void Broker::State::forget_phone(Session& session, Now) {
  PhonePart& phone = *session.phone;
  for (std::size_t i = 0; i < phone.entries.size(); ++i) {
    unindex(phone.entries[i]->filter, {Subscriber::Kind::Entry, session.slot, static_cast<std::uint32_t>(i)});
  }
  session_of_phone.erase(phone.record.id);
  effects.push_back(RecallNotices{phone.record.id});
  counters.notices_held -= phone.held.size();
  session.phone.reset();
  session.expiry_s = 0;
}

// ---- notifications
// --------------------------------------------------------------------------------------------------------

Decision Broker::State::decide_for(Trigger trigger, Session& session, MessageId id, UtcTime expires_at,
                                   const EntryRecord& entry, Now now) {
  const PhonePart& phone = *session.phone;
  const auto last = phone.last_notified.find(entry.id);
  const MessageFacts message{.expires_at = expires_at};
  const EntryFacts policy{
      .mode = entry.push.mode,
      .min_interval = std::chrono::seconds(entry.push.min_interval_s),
      .is_quiet_now = entry.push.quiet_hours && is_quiet && is_quiet(*entry.push.quiet_hours, now.utc)};
  PhoneFacts facts{.state = phone.state, .has_token = !phone.record.token.token.empty()};
  const auto held = phone.held.find(id);
  const bool was_let_through = held != phone.held.end() && held->second.is_claimed;
  if (last != phone.last_notified.end() && !was_let_through) facts.last_notified_at = last->second;
  facts.ack_timeout = delivery.ack_timeout;
  return decide(trigger, message, policy, facts, now);
}

void Broker::State::hold_notice(Session& session, const MessageRef& message,
                                const std::shared_ptr<const EntryRecord>& entry, const Decision& decision,
                                Now now) {
  if (decision.push != PushAction::Now && decision.push != PushAction::AtAckDeadline) return;
  const MessageRecord& record = *message->record;
  HeldNotice notice{.message = message->record, .entry = entry, .due = now.steady + decision.delay};
  notice.expires_at = std::min(record.expires_at, now.utc + delivery.inbox_ttl);
  if (entry->push.ttl_s) {
    // 0 is "now or never": the provider is told so, and we take a few seconds to reach it.
    const std::chrono::seconds ttl(std::max<std::int64_t>(*entry->push.ttl_s, 5));
    notice.expires_at = std::min(notice.expires_at, now.utc + ttl);
  }
  notice.is_due = decision.push == PushAction::Now;
  const UtcTime due_at = now.utc + std::chrono::ceil<std::chrono::microseconds>(decision.delay);
  ledger.open().outbox.push_back({record.id, session.phone->record.id, entry->id, due_at, notice.expires_at,
                                  std::string(to_string(decision.reason))});
  ledger.waiting().notices.emplace_back(session.key(), record.id);
  owe_commit(*message);
  if (!notice.is_due) timers.arm({notice.due, Timer::Kind::HeldNotice, session.key(), record.id});
  session.phone->held.insert_or_assign(record.id, std::move(notice));
  ++counters.notices_held;
}

/// The row is on disk. Presence is read again, so that a phone that returned meanwhile is not woken while it
/// reads.
void Broker::State::notice_committed(Session& session, MessageId message, Now now) {
  const auto found = session.phone->held.find(message);
  if (found == session.phone->held.end()) return;  // acknowledged meanwhile
  found->second.is_committed = true;
  if (found->second.is_due) reconsider(session, message, Trigger::Published, now);
}

void Broker::State::reconsider(Session& session, MessageId message, Trigger trigger, Now now) {
  const auto found = session.phone->held.find(message);
  if (found == session.phone->held.end()) return;
  HeldNotice& notice = found->second;
  const Decision decision = decide_for(trigger, session, message, notice.expires_at, *notice.entry, now);
  if (decision.push == PushAction::Now) {
    notice.is_due = true;
    if (notice.is_committed) wake(session, message, now);
  } else if (decision.push == PushAction::AtAckDeadline) {
    notice.is_due = false;
    notice.due = now.steady + decision.delay;
    timers.arm({notice.due, Timer::Kind::HeldNotice, session.key(), message});
  } else {
    cancel_notice(session, message, to_string(decision.reason).data());
  }
}

void Broker::State::reconsider_all(Session& session, Trigger trigger, Now now) {
  std::vector<MessageId> held;
  for (const auto& [message, notice] : session.phone->held) held.push_back(message);
  for (const MessageId message : held) reconsider(session, message, trigger, now);
}

void Broker::State::on_notice_timer(Session& session, MessageId message, Now now) {
  if (!session.phone) return;
  PhonePart& phone = *session.phone;
  const auto found = phone.held.find(message);
  if (found == phone.held.end() || found->second.is_due || found->second.due > now.steady) return;
  const bool has_missed = phone.state == PhoneState::Foreground;
  reconsider(session, message, Trigger::AckTimedOut, now);
  if (!has_missed) return;
  // The first missed deadline: from now on it counts as in the background, for everything that waits.
  phone.state = PhoneState::Suspect;
  reconsider_all(session, Trigger::WentBackground, now);
}

void Broker::State::wake(Session& session, MessageId message, Now now) {
  PhonePart& phone = *session.phone;
  const auto found = phone.held.find(message);
  HeldNotice& held = found->second;
  phone.last_notified[held.entry->id] = now.steady;
  effects.push_back(Notify{{message, phone.record.id, held.message, held.entry, phone.record.token,
                            phone.record.locale, held.expires_at, held.attempt_count}});
  phone.held.erase(found);
  --counters.notices_held;
  ++counters.notices_sent;
}

void Broker::State::cancel_notice(Session& session, MessageId message, const char* reason) {
  PhonePart& phone = *session.phone;
  const auto found = phone.held.find(message);
  const bool is_held = found != phone.held.end();
  // The dispatcher may have it, or may have given it back: then only its row is left to cancel.
  if (!is_held || found->second.is_claimed) effects.push_back(CancelNotice{message, phone.record.id});
  ledger.open().cancelled.push_back({message, phone.record.id, reason});
  if (!is_held) return;
  phone.held.erase(found);
  --counters.notices_held;
  ++counters.notices_cancelled;
}

void Broker::State::on_claimed(std::vector<Notice> notices, Now now) {
  for (Notice& notice : notices) {
    const auto found = session_of_phone.find(notice.phone_id);
    if (found == session_of_phone.end()) continue;  // the phone is gone, and its rows with it
    Session& session = *sessions[found->second];
    if (!notice.entry && notice.message->topic == kEventTopic) notice.entry = event_entry();
    if (!notice.entry || !may_ring(*session.phone, *notice.entry)) {
      ledger.open().cancelled.push_back({notice.message_id, notice.phone_id, "no longer subscribed"});
      ++counters.notices_cancelled;
      continue;
    }
    HeldNotice held{
        .message = notice.message, .entry = notice.entry, .due = now.steady, .expires_at = notice.expires_at};
    held.is_committed = held.is_due = held.is_claimed = true;
    held.attempt_count = notice.attempt_count;
    held.entry = with_wishes(held.entry, *held.message);
    if (session.phone->held.try_emplace(notice.message_id, std::move(held)).second) {
      ++counters.notices_held;
      reconsider(session, notice.message_id, Trigger::Published, now);
    }
  }
}

// ---- presence
// -------------------------------------------------------------------------------------------------------------

void Broker::State::phone_went_offline(Session& session, Now now) {
  session.phone->state = PhoneState::Offline;
  reconsider_all(session, Trigger::WentOffline, now);
}

void Broker::State::phone_returned(Session& session, Now now) {
  session.phone->state = PhoneState::Foreground;
  session.phone->is_reported_background = false;
  reconsider_all(session, Trigger::Returned, now);
}

void Broker::State::phone_shows_life(Session& session, Now now) {
  if (!session.phone || session.phone->state != PhoneState::Suspect) return;
  session.phone->state =
      session.phone->is_reported_background ? PhoneState::Background : PhoneState::Foreground;
  pump(session, now);
}

void Broker::State::set_presence(Session& session, bool is_foreground, Now now) {
  PhonePart& phone = *session.phone;
  if (!session.is_connected()) return;  // offline says all
  phone.is_reported_background = !is_foreground;
  const bool was_foreground = phone.state == PhoneState::Foreground;
  phone.state = is_foreground ? PhoneState::Foreground : PhoneState::Background;
  if (!is_foreground && was_foreground) reconsider_all(session, Trigger::WentBackground, now);
  if (!is_foreground || was_foreground) return;
  reconsider_all(session, Trigger::Returned, now);
  pump(session, now);
}

}  // namespace wake::broker
