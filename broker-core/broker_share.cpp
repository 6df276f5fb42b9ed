// Shared subscriptions (v5 §4.8.2): joining and leaving a group, whose turn a message is, and what becomes of
// the messages of a member that leaves.
//
// The shard on which a message starts picks (topic/share_groups.hpp). A member elsewhere gets it by RouteMail
// that names it. What a leaver has not finished goes to another member: with the settlement it already had,
// so the publisher is not told of success before the other one has it; or, when the leaver has it in storage
// and the publisher may have been told, by broker_leave.cpp. v5 [MQTT-4.8.2-5]: but not a QoS 2 message whose
// sending has begun.
#include <algorithm>

#include "broker-core/broker_state.hpp"
#include "broker-core/topic/topic_name.hpp"

namespace wake::broker {

namespace {

/// A turn is passed on when its member is gone; so often at most, however members come and go.
constexpr std::uint8_t kMaxHops = 8;

/// The filter behind $share/NAME/.
std::string_view inner(std::string_view filter) {
  const auto shared = parse_shared(filter);
  return shared ? shared->filter : filter;
}

}  // namespace

// ---- members

void Broker::State::add_subscription(Session& session, const SubscriptionRecord& record) {
  if (parse_shared(record.filter)) return join(session, record.filter);
  index(record.filter, {Subscriber::Kind::Session, session.slot, 0},
        {record.qos, record.no_local, record.retain_as_published, record.subscription_id});
}

void Broker::State::drop_subscription(Session& session, std::string_view filter) {
  if (parse_shared(filter)) return leave(session, filter);
  unindex(filter, {Subscriber::Kind::Session, session.slot, 0});
}

void Broker::State::join(Session& session, const std::string& name) {
  std::erase_if(session.left_groups, [&](const ShareName& left) { return *left == name; });
  session.readiness = readiness_of(session);
  ++counters.shared_subscriptions;
  ++session.share_count;
  const ShareMail change{name, session.key(), true, session.readiness};
  on_share_mail(identity.shard, change);
  tell_others(change);
}

void Broker::State::leave(Session& session, std::string_view name) {
  --counters.shared_subscriptions;
  --session.share_count;
  const ShareMail change{std::string(name), session.key(), false, session.readiness};
  on_share_mail(identity.shard, change);
  tell_others(change);
}

void Broker::State::on_share_mail(unsigned from, const ShareMail& change) {
  const ShareGroups::Member member{from, change.session};
  const auto number =
      change.add ? shares.join(change.name, member, change.readiness) : shares.leave(change.name, member);
  if (!number) return;
  const Subscriber group{Subscriber::Kind::Group, *number, 0};
  if (change.add) {
    tree.add(inner(change.name), group, {});
  } else {
    tree.remove(inner(change.name), group);
  }
}

void Broker::State::tell_others(const Mail& news) {
  for (unsigned shard = 0; shard < identity.shard_count; ++shard) {
    if (shard != identity.shard) mail[shard].push_back(news);
  }
}

Readiness Broker::State::readiness_of(const Session& session) {
  if (!fits(session, 1)) return Readiness::Full;
  const Connection* connection = connection_of(session);
  if (!connection) return Readiness::Away;
  const std::uint32_t slots = std::min<std::uint32_t>(connection->receive_maximum, limits.max_inflight);
  const bool is_behind = session.inflight >= slots || session.sent < session.deliveries.size() ||
                         session.has_stored_tail || connection->output.size() >= kHighWater;
  return is_behind ? Readiness::Busy : Readiness::Free;
}

void Broker::State::tell_readiness(Session& session) {
  if (session.share_count == 0) return;
  const Readiness readiness = readiness_of(session);
  if (readiness == session.readiness) return;
  session.readiness = readiness;
  shares.set_readiness({identity.shard, session.key()}, readiness);
  tell_others(ReadinessMail{session.key(), readiness});
}

// ---- turns

void Broker::State::take_turns() {
  turns_elsewhere.clear();
  interest_count = interested.size();
  for (const std::uint32_t group : matched_groups) take_turn(shares.pick(group));
}

void Broker::State::take_turn(ShareGroups::Turn turn) {
  if (turn.member.shard != identity.shard) {
    if (std::ranges::find(interested, turn.member.shard) == interested.end())
      interested.push_back(turn.member.shard);
    return turns_elsewhere.push_back(std::move(turn));
  }
  Session* session = session_of(turn.member.session);
  const auto subscription = session->subscriptions.find(*turn.name);
  add_match(session->slot, subscription->second);
  target_of(session->slot)->share = turn.name;
}

void Broker::State::add_match(std::uint32_t slot, const SubscriptionRecord& subscription) {
  Target* target = target_of(slot);
  target->qos = std::max(target->qos, subscription.qos);
  target->retain_as_published |= subscription.retain_as_published;
  if (subscription.subscription_id != 0) target->subscription_ids.push_back(subscription.subscription_id);
}

void Broker::State::take_mailed_turns(const RouteMail& route_mail) {
  for (const RouteMail::Turn& given : route_mail.turns) {
    ShareGroups::Turn turn{{identity.shard, given.session}, given.name};
    const Session* session = session_of(given.session);
    if (!session || !session->subscriptions.contains(*given.name)) {  // left while the mail was under way
      const auto next = route_mail.hops < kMaxHops ? shares.pick(*given.name) : std::nullopt;
      if (!next) {
        ++counters.publishes_dropped;
        continue;
      }
      turn = *next;
    }
    take_turn(std::move(turn));
  }
}

bool Broker::State::send_on(Routed& routed, std::uint8_t hops) {
  const bool wants_settlement = routed.waiter.kind != Waiter::Kind::None;
  for (std::size_t i = 0; i < interested.size(); ++i) {
    const unsigned shard = interested[i];
    if (wants_settlement) owe(*routed.keep());
    RouteMail letter{*routed.keep()->record, wants_settlement, i < interest_count, hops, {}};
    for (const ShareGroups::Turn& turn : turns_elsewhere) {
      if (turn.member.shard == shard) letter.turns.push_back({turn.name, turn.member.session});
    }
    if (letter.message.is_provisional) tell_when_final(routed.id, shard);
    mail[shard].emplace_back(std::move(letter));
  }
  return !interested.empty();
}

/// A turn passed on to a shard that the publisher's does not know of: FinalMail goes the same way.
void Broker::State::tell_when_final(MessageId id, unsigned shard) {
  std::vector<std::uint32_t>& told = provisional[id].shards;
  if (std::ranges::find(told, shard) == told.end()) told.push_back(shard);
}

// ---- leavers

std::vector<ShareName> Broker::State::groups_of(const Session& session) {
  std::vector<ShareName> groups;
  if (session.share_count == 0) return groups;
  for (const auto& [filter, subscription] : session.subscriptions) {
    if (parse_shared(filter)) groups.push_back(std::make_shared<const std::string>(filter));
  }
  return groups;
}

ShareName Broker::State::group_for(const std::vector<ShareName>& groups, std::string_view topic) {
  const auto found =
      std::ranges::find_if(groups, [&](const ShareName& name) { return matches(inner(*name), topic); });
  return found == groups.end() ? nullptr : *found;
}

std::vector<Delivery> Broker::State::take_all_shared(Session& session) {
  std::vector<Delivery> taken;
  for (std::size_t i = 0; i < session.deliveries.size(); ++i) {
    Delivery& held = session.deliveries[i];
    const bool has_begun = i < session.sent || held.is_again || held.packet_id != 0;
    if (!held.message || !held.share || (has_begun && held.qos == Qos::ExactlyOnce)) continue;
    taken.push_back(held);
    held.is_owed = false;  // the copy's business now
    held.share.reset();
  }
  return taken;
}

std::vector<Delivery> Broker::State::take_unsent(Session& session, std::string_view name) {
  std::vector<Delivery> taken;
  for (std::size_t i = session.sent; i < session.deliveries.size(); ++i) {
    Delivery& held = session.deliveries[i];
    const bool has_begun = held.is_again || held.packet_id != 0;
    if (!held.message || !held.share || *held.share != name || has_begun) continue;
    forget_owed(session, *held.message->record);
    taken.push_back(held);
    held.step = Delivery::Step::Done;
    held.message = MessageRef();
  }
  return taken;
}

void Broker::State::forget_owed(Session& session, const MessageRecord& record) {
  const std::size_t bytes = std::min(session.queued_bytes, record.payload.size() + record.topic.size());
  set_owed(session, session.queued_messages - std::min(session.queued_messages, 1u),
           session.queued_bytes - bytes);
  if (session.is_full) tell_room(session);
}

void Broker::State::remove_row(Session& session, MessageId id) {
  ledger.open().acknowledged.push_back({session.client_id, id});
  session.removals.push_back({ledger.batch(), id});
}

void Broker::State::hand_over(std::vector<Delivery> left, Now now) {
  for (const Delivery& one : left) {
    const MessageId id = one.message->record->id;
    if (auto turn = shares.pick(*one.share)) {
      const bool is_open = settlements.find(id) != nullptr;
      Routed routed = Routed::of(final_record(one.message->record), is_open ? one.message->waiter : Waiter{});
      if (is_open && routed.message->record == one.message->record) routed.message = one.message;
      if (is_open) routed.message->is_open = true;
      give_turn(std::move(*turn), routed, now);
    }
    if (one.is_owed) one_answered(id, false);  // whoever has it now is owed it by itself
  }
}

/// A message that has become final since is not marked as provisional anew.
RecordPtr Broker::State::final_record(const RecordPtr& record) const {
  if (!record->is_provisional || provisional.contains(record->id)) return record;
  auto copy = std::make_shared<MessageRecord>(*record);
  copy->is_provisional = false;
  return copy;
}

void Broker::State::give_turn(ShareGroups::Turn turn, Routed& routed, Now now) {
  // A member may end while a message is being routed: what that was about is kept aside.
  auto routed_targets = std::exchange(targets, {});
  auto routed_interested = std::exchange(interested, {});
  auto routed_turns = std::exchange(turns_elsewhere, {});
  const std::size_t routed_count = std::exchange(interest_count, 0);
  ++epoch;
  take_turn(std::move(turn));
  deliver_all(routed, now);
  send_on(routed, 1);
  interest_count = routed_count;
  targets = std::move(routed_targets);
  interested = std::move(routed_interested);
  turns_elsewhere = std::move(routed_turns);
}

}  // namespace wake::broker
