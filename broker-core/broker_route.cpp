// Who gets a message: the sessions of this shard, their overlapping subscriptions merged, phones by their
// topic entries; and which other shards are interested.
#include <algorithm>

#include "broker-core/broker_state.hpp"
#include "broker-core/delivery/event_entry.hpp"
#include "broker-core/delivery/publisher_wishes.hpp"

namespace wake::broker {

Target* Broker::State::target_of(std::uint32_t slot) {
  Session& session = *sessions[slot];
  if (session.match_epoch != epoch) {
    session.match_epoch = epoch;
    session.match_index = static_cast<std::uint32_t>(targets.size());
    targets.push_back({.session = slot,
                       .qos = Qos::AtMostOnce,
                       .retain_as_published = false,
                       .entry = Target::kNoEntry,
                       .share = {},
                       .subscription_ids = {}});
  }
  return &targets[session.match_index];
}

void Broker::State::gather(const Routed& routed) {
  ++epoch;
  targets.clear();
  interested.clear();
  matched_groups.clear();
  turns_elsewhere.clear();
  tree.match(routed.topic, [&](const Subscriber& subscriber, const SubscriptionOptions& options) {
    if (subscriber.kind == Subscriber::Kind::Shard) {
      if (std::find(interested.begin(), interested.end(), subscriber.index) == interested.end()) {
        interested.push_back(subscriber.index);
      }
      return;
    }
    if (subscriber.kind == Subscriber::Kind::Group) return matched_groups.push_back(subscriber.index);
    if (subscriber.kind == Subscriber::Kind::Entry) {
      Target* target = target_of(subscriber.index);
      target->qos = std::max(target->qos, Qos::AtLeastOnce);
      // Of several entries that match, the one that was there first speaks for the push.
      target->entry = std::min(target->entry, subscriber.sub_index);
      return;
    }
    if (options.no_local && sessions[subscriber.index]->client_id.value == routed.publisher) return;
    Target* target = target_of(subscriber.index);
    target->qos = std::max(target->qos, options.qos);
    target->retain_as_published |= options.retain_as_published;
    if (options.subscription_id != 0) target->subscription_ids.push_back(options.subscription_id);
  });
}

bool Broker::State::deliver_all(Routed& routed, Now now) {
  EncodedCache cache;
  for (const Target& target : targets) deliver(routed, target, cache, now);
  return !targets.empty();
}

/// The publisher's shard has told all that are interested, and picked a member of each group.
void Broker::State::route_mailed(Routed& routed, const RouteMail& route_mail, Now now) {
  if (routed.is_provisional) provisional.try_emplace(routed.id);
  if (route_mail.is_for_matches) {
    gather(routed);
  } else {
    ++epoch;
    targets.clear();
  }
  matched_groups.clear();
  interested.clear();
  turns_elsewhere.clear();
  interest_count = 0;
  take_mailed_turns(route_mail);
  deliver_all(routed, now);
  send_on(routed, static_cast<std::uint8_t>(route_mail.hops + 1));
}

void Broker::State::deliver(Routed& routed, const Target& target, EncodedCache& cache, Now now) {
  Session& session = *sessions[target.session];
  if (target.entry != Target::kNoEntry) return deliver_to_phone(routed, target, session, now);
  const Qos qos = std::min(target.qos, routed.qos);
  if (qos == Qos::AtMostOnce) {
    if (!session.is_connected()) return;
    routed.is_taken = true;
    return send_now(routed, target, session, cache, now);
  }
  if (!session.is_connected() && !session.is_durable()) return;
  Delivery delivery{.message = routed.keep(), .qos = qos};
  delivery.retain = target.retain_as_published && routed.retain;
  delivery.subscription_id = target.subscription_ids.empty() ? 0 : target.subscription_ids.front();
  delivery.share = target.share;
  delivery.has_more_ids = target.subscription_ids.size() > 1;
  // With a receipt no row may be in a later commit.
  const bool store_now = !session.is_connected() || routed.has_receipt;
  const bool is_taken = enqueue(session, routed.message, std::move(delivery), store_now, now);
  (is_taken ? routed.is_taken : routed.is_full) = true;
}

void Broker::State::deliver_to_phone(Routed& routed, const Target& target, Session& session, Now now) {
  const std::shared_ptr<const EntryRecord> entry = session.phone->entries[target.entry];
  Delivery owed{.message = routed.keep(),
                .qos = std::max(Qos::AtLeastOnce, std::min(target.qos, routed.qos))};
  owed.retain = target.retain_as_published && routed.retain;
  offer_to_phone(routed, session, entry, std::move(owed), now);
  // An inbox keeps a message for inbox_ttl at the longest (contract §5).
  const UtcTime expires_at = std::min(routed.expires_at, now.utc + delivery.inbox_ttl);
  ledger.open().inbox.push_back({session.phone->user->id, routed.id, entry->id, expires_at});
  owe_commit(*routed.message);
}

/// MQTT and push. Inbox, queue and outbox rows of a message travel in the same Persist, hence in one
/// transaction.
void Broker::State::offer_to_phone(Routed& routed, Session& session,
                                   const std::shared_ptr<const EntryRecord>& entry, Delivery owed, Now now) {
  const MessageRef& message = routed.keep();
  const UtcTime expires_at = std::min(routed.expires_at, now.utc + delivery.inbox_ttl);
  owed.rings_always = entry->push.mode == PushMode::Always;
  const Decision decision = decide_for(Trigger::Published, session, routed.id, expires_at, *entry, now);
  owed.may_have_notice = decision.push != PushAction::None;
  if (decision.mqtt == MqttAction::Hold) owed.step = Delivery::Step::Held;
  // A phone that has been away for too long must not stop its camera: what its queue cannot take waits in the
  // inbox all the same, so nothing is refused here.
  enqueue(session, message, std::move(owed), true, now);
  routed.is_taken = true;
  ledger.store_message(*message);
  hold_notice(session, message, with_wishes(entry, *message->record), decision, now);
}

void Broker::State::send_direct(Session& session, std::string topic, std::string payload, Now now) {
  MessageRecord record;
  record.id = message_ids.next(now.utc);
  record.topic = std::move(topic);
  record.payload = std::move(payload);
  record.qos = Qos::AtLeastOnce;
  record.at = now.utc;
  record.expires_at = now.utc + delivery.inbox_ttl;
  const MessageRef message(
      new Message{.record = std::make_shared<const MessageRecord>(std::move(record)), .waiter = {}});
  enqueue(session, message, Delivery{.message = message}, session.is_durable(), now);
}

/// What the gateway itself tells a phone (contract §6: $wake/events, else by push): to this one, whoever
/// subscribed.
void Broker::State::send_alert(const ClientId& client_id, MessageRecord message, AlertId alert,
                               std::uint64_t ticket, Now now) {
  message.id = message_ids.next(now.utc);
  message.at = now.utc;
  message.expires_at = now.utc + delivery.inbox_ttl;
  message.qos = Qos::AtLeastOnce;
  Routed routed = Routed::of(std::make_shared<const MessageRecord>(std::move(message)),
                             {Waiter::Kind::Backend, {}, ticket});
  Session* const session = find_session(client_id.value);
  const bool is_phone = session && session->phone;
  if (is_phone) {
    offer_to_phone(routed, *session, event_entry(), Delivery{.message = routed.keep()}, now);
    ledger.open().alerts_told.push_back(alert);
    owe_commit(*routed.message);
  }
  finish_routing(routed, is_phone);
}

}  // namespace wake::broker
