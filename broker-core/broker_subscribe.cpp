// SUBSCRIBE and UNSUBSCRIBE (v5 §3.8 to §3.11), and what other shards are told of it.
#include <algorithm>

#include "broker-core/broker_state.hpp"
#include "broker-core/topic/topic_name.hpp"

namespace wake::broker {

void Broker::State::on_subscribe(Connection& connection, const Subscribe& subscribe, Now now) {
  Session& session = *sessions[connection.session];
  for (const SubscribeRequest& request : subscribe.requests) {
    if (!request.no_local || !request.filter.starts_with("$share/")) continue;  // v5 [MQTT-3.8.3-4]
    return fail(connection, ReasonCode::ProtocolError, "no local on a shared subscription", now);
  }
  Suback suback{.packet_id = subscribe.packet_id, .reasons = {}, .reason_string = {}, .user_properties = {}};
  std::vector<std::string> retained_filters;
  for (SubscribeRequest request : subscribe.requests) {
    request.no_local |= connection.is_bridge;
    request.retain_as_published |= connection.is_bridge;
    const bool is_new = !session.subscriptions.contains(request.filter);
    const ReasonCode reason = subscribe_one(session, request, subscribe.subscription_id);
    suback.reasons.push_back(reason);
    if (!is_failure(reason)) switch_entry(session, request.filter, true, now);
    // v5 §3.8.3.1: 0 send, 1 send if the subscription is new, 2 do not. 3.x parses as 0.
    const bool is_shared = request.filter.starts_with("$share/");  // v5 §4.8.2: those get none
    if (!is_failure(reason) && !is_shared &&
        (request.retain_handling == 0 || (request.retain_handling == 1 && is_new))) {
      retained_filters.emplace_back(request.filter);
    }
  }
  if (!session.is_durable()) {
    send(connection, suback);
    for (const std::string& filter : retained_filters)
      start_retained(session, session.subscriptions.at(filter), now);
    return;
  }
  // The subscription is promised when it is on disk.
  store_row(session);
  send_when_stored(connection, suback);
  for (std::string& filter : retained_filters)
    ledger.waiting().retained_jobs.emplace_back(session.key(), std::move(filter));
}

ReasonCode Broker::State::subscribe_one(Session& session, const SubscribeRequest& request,
                                        std::uint32_t subscription_id) {
  if (!is_valid_topic_filter(request.filter, limits.max_topic_levels)) return ReasonCode::TopicFilterInvalid;
  const auto shared = parse_shared(request.filter);
  const bool is_own_events =
      request.filter == "$wake/events" && session.principal.kind != Principal::Kind::Anonymous;
  if (!is_own_events && !session.grants.may_subscribe(shared ? shared->filter : request.filter)) {
    report(Incident::Level::Info, "subscribe.denied",
           session.client_id.value + " may not subscribe to " + std::string(request.filter));
    return ReasonCode::NotAuthorized;
  }
  const auto known = session.subscriptions.find(request.filter);
  if (known == session.subscriptions.end() && session.subscriptions.size() >= limits.max_subscriptions) {
    return ReasonCode::QuotaExceeded;
  }
  if (shared && known == session.subscriptions.end() &&
      shares.member_count(request.filter) >= limits.max_share_members) {
    return ReasonCode::QuotaExceeded;
  }
  const SubscriptionRecord record{
      std::string(request.filter), request.qos,    request.no_local, request.retain_as_published,
      request.retain_handling,     subscription_id};
  if (!shared || known == session.subscriptions.end()) add_subscription(session, record);
  session.subscriptions.insert_or_assign(record.filter, record);
  if (session.is_durable()) ledger.session(session.client_id).subscriptions.push_back({false, record});
  return static_cast<ReasonCode>(request.qos);
}

void Broker::State::on_unsubscribe(Connection& connection, const Unsubscribe& unsubscribe, Now now) {
  Session& session = *sessions[connection.session];
  Unsuback unsuback{
      .packet_id = unsubscribe.packet_id, .reasons = {}, .reason_string = {}, .user_properties = {}};
  bool has_changed = false;
  for (const std::string_view filter : unsubscribe.filters) {
    bool was_there = unsubscribe_one(session, filter);
    was_there |= switch_entry(session, filter, false, now);
    has_changed |= was_there;
    ReasonCode reason = was_there ? ReasonCode::Success : ReasonCode::NoSubscriptionExisted;
    if (!is_valid_topic_filter(filter, limits.max_topic_levels)) reason = ReasonCode::TopicFilterInvalid;
    unsuback.reasons.push_back(reason);
  }
  if (!has_changed || !session.is_durable()) return send(connection, unsuback);
  send_when_stored(connection, unsuback);
}

bool Broker::State::unsubscribe_one(Session& session, std::string_view filter) {
  const auto known = session.subscriptions.find(filter);
  if (known == session.subscriptions.end()) return false;
  drop_subscription(session, filter);
  if (session.is_durable()) ledger.session(session.client_id).subscriptions.push_back({true, known->second});
  const std::string name = known->first;
  session.subscriptions.erase(known);
  if (parse_shared(name)) hand_on_unsubscribe(session, name, moment);
  return true;
}

bool Broker::State::switch_entry(Session& session, std::string_view filter, bool is_subscribed, Now now) {
  if (!session.phone) return false;
  const UserRecordPtr changed = with_entry(session.phone->user, filter, is_subscribed);
  if (!changed) return false;
  ledger.open().switched.push_back({changed->id, std::string(filter), is_subscribed});
  ledger.waiting().switched.emplace_back(changed->id, std::string(filter));
  entry_switches.add(changed->id, filter, is_subscribed, ledger.batch());
  // At once on this shard; the others hear it when it is stored, as of any change of the registry.
  apply_user(changed, now);
  return true;
}

std::vector<std::uint32_t> Broker::State::subscription_ids_of(const Session& session,
                                                              const Delivery& delivery) {
  std::vector<std::uint32_t> ids;
  if (delivery.subscription_id == 0) return ids;
  ids.push_back(delivery.subscription_id);
  if (!delivery.has_more_ids) return ids;
  for (const auto& [filter, subscription] : session.subscriptions) {
    const bool is_other = subscription.subscription_id != 0 && subscription.subscription_id != ids.front();
    const auto shared = parse_shared(filter);
    if (is_other && matches(shared ? shared->filter : filter, delivery.message->record->topic))
      ids.push_back(subscription.subscription_id);
  }
  return ids;
}

void Broker::State::index(std::string_view filter, Subscriber subscriber, SubscriptionOptions options) {
  const auto added = tree.add(filter, subscriber, options);
  if (!added.replaced) ++counters.subscriptions;
  if (added.is_first_local) announce(filter, true);
}

void Broker::State::unindex(std::string_view filter, Subscriber subscriber) {
  const auto removed = tree.remove(filter, subscriber);
  if (removed.removed) --counters.subscriptions;
  if (removed.was_last_local) announce(filter, false);
}

void Broker::State::announce(std::string_view filter, bool add) {
  for (unsigned shard = 0; shard < identity.shard_count; ++shard) {
    if (shard != identity.shard) mail[shard].push_back(InterestMail{std::string(filter), add});
  }
}

void Broker::State::on_interest(unsigned from, const InterestMail& interest) {
  const Subscriber shard{Subscriber::Kind::Shard, from, 0};
  if (interest.add) {
    tree.add(interest.filter, shard, {});
  } else {
    tree.remove(interest.filter, shard);
  }
}

}  // namespace wake::broker
