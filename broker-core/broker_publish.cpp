// What comes in: PUBLISH (v5 §3.3), the back end's messages, those of other shards; and the
// only place where a PUBACK or PUBREC is made: when the message is settled (contract §2.1).
#include "broker-core/bridge/via.hpp"
#include "broker-core/broker_state.hpp"
#include "broker-core/topic/topic_name.hpp"

namespace wake::broker {

namespace {

/// What the reason code alone does not tell the publisher.
std::string_view why_refused(const PublisherAck& ack) {
  if (ack.is_partial && !is_failure(ack.reason)) return "the queue of at least one receiver is full";
  switch (ack.reason) {
    case ReasonCode::NotAuthorized:
      return "no permission to publish to this topic";
    case ReasonCode::QuotaExceeded:
      return "a receiver's queue is full, or storage is behind";
    case ReasonCode::PayloadFormatInvalid:
      return "the topic takes foreground or background";
    default:
      return {};
  }
}

/// Carried away by a bridge of ours and brought back by somebody else's. Our own bridges see to that
/// themselves.
bool has_come_back(const Connection& connection, const Publish& publish, const std::string& mark) {
  if (publish.properties.user_properties.empty() || mark.empty()) return false;
  return has_passed(publish.properties, mark) && connection.listener->protocol != "bridge";
}

}  // namespace

Routed Routed::of(const RecordPtr& record, Waiter waiter) {
  Routed routed;
  routed.topic = record->topic;
  routed.payload = as_bytes(record->payload);
  routed.properties = record->properties;
  routed.qos = record->qos;
  routed.retain = record->retain;
  routed.publisher = record->publisher.value;
  routed.id = record->id;
  routed.at = record->at;
  routed.expires_at = record->expires_at;
  routed.is_provisional = record->is_provisional;
  routed.waiter = waiter;
  routed.message = MessageRef(new Message{.record = record, .waiter = waiter});
  return routed;
}

const MessageRef& Routed::keep() {
  if (message) return message;
  // Constructed, not assigned: a string that is assigned to takes three times the instructions.
  auto record = std::make_shared<const MessageRecord>(MessageRecord{.id = id,
                                                                    .topic = std::string(topic),
                                                                    .payload = std::string(as_text(payload)),
                                                                    .qos = qos,
                                                                    .retain = retain,
                                                                    .is_provisional = is_provisional,
                                                                    .properties = std::string(properties),
                                                                    .publisher = {std::string(publisher)},
                                                                    .at = at,
                                                                    .expires_at = expires_at});
  message = MessageRef(new Message{.record = std::move(record), .waiter = waiter});
  return message;
}

void Broker::State::on_publish(Connection& connection, const Frame& frame, Now now) {
  auto parsed = parse_publish(frame, connection.version);
  if (const auto* error = std::get_if<ParseError>(&parsed)) {
    ++counters.packets_malformed;
    return fail(connection, error->reason, "malformed PUBLISH: " + std::string(to_string(error->reason)),
                now);
  }
  Publish& publish_packet = std::get<Publish>(parsed);
  ++counters.publishes_received;
  counters.publish_bytes_received += publish_packet.payload.size();
  if (publish_packet.properties.topic_alias && !resolve_alias(connection, publish_packet, now)) return;
  if (!publish_packet.properties.subscription_ids.empty()) {
    return fail(connection, ReasonCode::ProtocolError, "a client's PUBLISH carries a subscription identifier",
                now);
  }
  if (!is_valid_topic_name(publish_packet.topic, limits.max_topic_levels)) {
    return fail(connection, ReasonCode::TopicNameInvalid, "PUBLISH to an invalid topic name", now);
  }
  if (!has_publish_budget(connection, now)) {
    return fail(connection, ReasonCode::MessageRateTooHigh,
                "more publishes than [limits] publishes_per_second", now);
  }
  Session& session = *sessions[connection.session];
  const Qos qos = publish_packet.qos;
  const bool is_qos2 = qos == Qos::ExactlyOnce;
  if (is_qos2 && session.received.contains(publish_packet.packet_id.value))
    return on_repeated_publish(connection, session, publish_packet.packet_id);
  if (!takes_one_more(connection, session, qos, now)) return;
  Routed routed;
  routed.qos = qos;
  if (qos != Qos::AtMostOnce) {
    routed.waiter = {Waiter::Kind::Publisher, connection.id,
                     expect_ack(connection, publish_packet.packet_id, qos)};
    if (is_qos2) routed.waiter.session = session.key();
    routed.waiter.packet_id = publish_packet.packet_id;
  }
  if (is_qos2) session.received[publish_packet.packet_id.value] = {};
  const auto answer = [&](ReasonCode reason) {
    if (is_qos2 && is_failure(reason)) session.received.erase(publish_packet.packet_id.value);
    if (qos != Qos::AtMostOnce) acknowledge(connection, routed.waiter.number, reason);
  };
  if (publish_packet.topic.starts_with("$wake/"))
    return answer(on_own_topic(connection, publish_packet, now));
  if (!session.grants.may_publish(publish_packet.topic)) {
    ++counters.publishes_denied;
    report(Incident::Level::Info, "publish.denied",
           session.client_id.value + " may not publish to " + std::string(publish_packet.topic));
    return answer(ReasonCode::NotAuthorized);
  }
  if (has_come_back(connection, publish_packet, identity.mark)) {
    ++counters.publishes_dropped;
    return answer(ReasonCode::NoMatchingSubscribers);
  }
  if (qos != Qos::AtMostOnce && ledger.bytes_waiting() > limits.max_unstored_bytes) {
    ++counters.messages_refused;
    return answer(ReasonCode::QuotaExceeded);
  }
  const std::string properties = forwardable_properties(publish_packet.properties);
  routed.topic = publish_packet.topic;
  routed.payload = publish_packet.payload;
  routed.properties = properties;
  routed.retain = publish_packet.retain;
  routed.publisher = session.client_id.value;
  routed.id = message_ids.next(now.utc);
  routed.at = now.utc;
  routed.expires_at = expiry_of(publish_packet.properties.message_expiry_s, now);
  if (is_qos2) session.received[publish_packet.packet_id.value].message = routed.id;
  publish(routed, now);
}

/// v5 §3.3.2.3.4. Afterwards the packet has its topic, and is as any other. False: the client is gone.
bool Broker::State::resolve_alias(Connection& connection, Publish& publish_packet, Now now) {
  if (!connection.aliases) connection.aliases = std::make_unique<TopicAliases>();
  const std::uint16_t alias = *publish_packet.properties.topic_alias;
  const ReasonCode reason =
      connection.aliases->in.resolve(alias, publish_packet.topic, limits.max_topic_aliases);
  if (!is_failure(reason)) return true;
  const bool is_undefined = reason == ReasonCode::ProtocolError;
  fail(connection, reason,
       "PUBLISH with topic alias " + std::to_string(alias) +
           (is_undefined ? ", which stands for nothing"
                         : ", and the Topic Alias Maximum is " + std::to_string(limits.max_topic_aliases)),
       now);
  return false;
}

/// v5 §4.9, [MQTT-3.3.4-9]; of a session, the QoS 2 ids that see no PUBREL.
bool Broker::State::takes_one_more(Connection& connection, const Session& session, Qos qos, Now now) {
  if (qos == Qos::AtMostOnce) return true;
  const bool is_over = connection.version == Version::V5 && connection.unanswered >= limits.receive_maximum;
  const bool has_ids = qos == Qos::AtLeastOnce || session.received.size() < limits.receive_maximum;
  if (!is_over && has_ids) {
    ++connection.unanswered;
    return true;
  }
  ++counters.messages_refused;
  fail(connection, ReasonCode::ReceiveMaximumExceeded,
       "more unacknowledged publishes than [limits] receive_maximum", now);
  return false;
}

/// A repetition of what we have: PUBREC again once the first is settled, and nothing else (v5
/// [MQTT-4.3.3-10]).
void Broker::State::on_repeated_publish(Connection& connection, Session& session, PacketId packet_id) {
  for (std::size_t i = 0; i < connection.acks.size(); ++i) {
    if (connection.acks[i].packet_id == packet_id) return;
  }
  Waiter* waiter = settlements.find(session.received[packet_id.value].message);
  if (!waiter) return send(connection, Ack{PacketType::Pubrec, packet_id, ReasonCode::Success, {}, {}});
  waiter->connection = connection.id;  // it came over an earlier connection, and is not settled yet
  waiter->number = expect_ack(connection, packet_id, Qos::ExactlyOnce);
  ++connection.unanswered;
}

/// $wake/…: what the gateway itself takes (contract §6). The answer to the publisher.
ReasonCode Broker::State::on_own_topic(Connection& connection, const Publish& publish_packet, Now now) {
  Session& session = *sessions[connection.session];
  const std::string_view payload = as_text(publish_packet.payload);
  const bool is_state = payload == "foreground" || payload == "background";
  if (publish_packet.topic == "$wake/presence" && session.phone && is_state) {
    set_presence(session, payload == "foreground", now);
    return ReasonCode::Success;
  }
  if (publish_packet.topic == "$wake/pair" && session.principal.kind == Principal::Kind::Device) {
    effects.push_back(PairRequest{session.client_id, session.principal, std::string(payload),
                                  connection.listener->address});
    return ReasonCode::Success;
  }
  ++counters.publishes_denied;
  report(
      Incident::Level::Info, "publish.denied",
      session.client_id.value + " sent to " + std::string(publish_packet.topic) + " what it does not take");
  const bool is_bad_state = publish_packet.topic == "$wake/presence" && session.phone;
  return is_bad_state ? ReasonCode::PayloadFormatInvalid : ReasonCode::NotAuthorized;
}

bool Broker::State::has_publish_budget(Connection& connection, Now now) {
  if (limits.publishes_per_second == 0 || connection.listener->protocol == "bridge") return true;
  // A bucket of one second's worth.
  const double rate = limits.publishes_per_second;
  const double elapsed_s = std::chrono::duration<double>(now.steady - connection.publish_refill).count();
  connection.publish_tokens = std::min(rate, connection.publish_tokens + elapsed_s * rate);
  connection.publish_refill = now.steady;
  if (connection.publish_tokens < 1) return false;
  connection.publish_tokens -= 1;
  return true;
}

UtcTime Broker::State::expiry_of(std::optional<std::uint32_t> expiry_s, Now now) const {
  return expiry_s ? now.utc + std::chrono::seconds(*expiry_s) : kNever;
}

void Broker::State::publish_backend(MessageRecord message, std::uint64_t ticket, Now now) {
  if (ledger.bytes_waiting() > limits.max_unstored_bytes) {
    effects.push_back(PublishSettled{ticket, {}, ReasonCode::QuotaExceeded});
    return;
  }
  const bool has_key = message.id.value != 0;  // see keep_receipt()
  if (!has_key) message.id = message_ids.next(now.utc);
  message.at = now.utc;
  const auto record = std::make_shared<const MessageRecord>(std::move(message));
  Routed routed = Routed::of(record, {Waiter::Kind::Backend, {}, ticket});
  routed.has_receipt = has_key;
  // Whether it is provisional is known when it is routed; keep() then makes the record that says so.
  if (has_key) routed.message = {};
  publish(routed, now);
}

void Broker::State::publish(Routed& routed, Now now) {
  gather(routed);
  take_turns();
  const Session* publisher = routed.waiter.session != 0 ? session_of(routed.waiter.session) : nullptr;
  routed.has_receipt |= (publisher && publisher->is_durable()) || routed.will.value != 0;
  routed.is_provisional = routed.has_receipt && !interested.empty();
  if (routed.retain) (retain(routed) ? routed.is_taken : routed.waiter.is_refused) = true;
  bool has_receivers = deliver_all(routed, now);
  if (routed.has_receipt) keep_receipt(routed);
  has_receivers |= send_on(routed, 0);
  finish_routing(routed, has_receivers);
}

void Broker::State::finish_routing(Routed& routed, bool has_receivers) {
  if (routed.waiter.kind == Waiter::Kind::None) return;
  const bool is_open = routed.message && routed.message->is_open;
  Waiter& waiter = is_open ? *settlements.find(routed.id) : routed.waiter;
  waiter.is_refused |= routed.waiter.is_refused;
  waiter.is_full |= routed.is_full;
  waiter.is_taken |= routed.is_taken;
  if (is_open) return one_answered(routed.id, false);
  answer_waiter(waiter, routed.id, has_receivers);
}

// ---- settlement
// -----------------------------------------------------------------------------------------------------------

void Broker::State::owe(Message& message) {
  if (message.waiter.kind == Waiter::Kind::None) return;
  if (message.is_open) {
    settlements.expect(message.record->id, 1);
    return;
  }
  message.is_open = true;
  ++counters.unsettled;
  settlements.open(message.record->id, message.waiter, 2);  // this one, and the routing itself: see publish()
}

void Broker::State::owe_commit(Message& message) {
  if (message.waiter.kind == Waiter::Kind::None) return;
  owe(message);
  ledger.waiting().owed.push_back(message.record->id);
}

void Broker::State::one_answered(MessageId id, bool is_refused) {
  if (is_refused) {
    if (Waiter* waiter = settlements.find(id)) waiter->is_refused = true;
  }
  if (const auto waiter = settlements.one_done(id)) {
    if (begin_final(id, *waiter)) return;
    --counters.unsettled;
    answer_waiter(*waiter, id, true);
    if (waiter->is_of_origin()) release(id);
    if (leavers.empty()) return;
    const auto [first, last] = leavers.equal_range(id);
    std::vector<std::uint64_t> told;
    for (auto one = first; one != last; ++one) told.push_back(one->second);
    leavers.erase(first, last);
    for (const std::uint64_t session : told) on_handed_over(session, id);
  }
}

void Broker::State::answer_waiter(const Waiter& waiter, MessageId id, bool has_receivers) {
  ReasonCode reason = has_receivers ? ReasonCode::Success : ReasonCode::NoMatchingSubscribers;
  if (waiter.is_refusal()) reason = ReasonCode::QuotaExceeded;
  switch (waiter.kind) {
    case Waiter::Kind::None:
    case Waiter::Kind::Will:
      break;
    case Waiter::Kind::Publisher:
      if (is_failure(reason)) refuse_receipt(waiter, id);
      if (Connection* connection = find(waiter.connection))
        acknowledge(*connection, waiter.number, reason, waiter.is_full);
      break;
    case Waiter::Kind::Shard:
      mail[waiter.number].push_back(SettledMail{id, waiter.is_refused, waiter.is_full, waiter.is_taken});
      break;
    case Waiter::Kind::Leaver:
      on_handed_over(waiter.number, id);
      break;
    case Waiter::Kind::Backend:
      effects.push_back(PublishSettled{waiter.number, id, reason});
      break;
  }
}

std::uint64_t Broker::State::expect_ack(Connection& connection, PacketId packet_id, Qos qos) {
  connection.acks.push_back({packet_id, qos, false, ReasonCode::Success, false});
  // 3.x clients know no Receive Maximum: they are not read meanwhile.
  if (connection.acks.size() >= limits.receive_maximum) connection.is_input_paused = true;
  return connection.first_ack + connection.acks.size() - 1;
}

void Broker::State::acknowledge(Connection& connection, std::uint64_t number, ReasonCode reason,
                                bool is_partial) {
  if (connection.phase != Connection::Phase::Active || number < connection.first_ack) return;
  PublisherAck& ready = connection.acks[number - connection.first_ack];
  ready.is_ready = true;
  ready.reason = reason;
  ready.is_partial = is_partial;
  while (!connection.acks.is_empty() && connection.acks.front().is_ready) {
    const PublisherAck ack = connection.acks.front();
    connection.acks.pop_front();
    ++connection.first_ack;
    if ((is_failure(ack.reason) || ack.qos == Qos::AtLeastOnce) && connection.unanswered > 0)
      --connection.unanswered;
    if (connection.version != Version::V5 && ack.reason == ReasonCode::QuotaExceeded) {
      // 3.x cannot say it: the acknowledgement is withheld and the client must come again.
      connection.acks.clear();
      return close(connection, "a receiver's queue is full and 3.x has no acknowledgement that says so", true,
                   moment);
    }
    const PacketType type = ack.qos == Qos::ExactlyOnce ? PacketType::Pubrec : PacketType::Puback;
    const std::string_view why = connection.wants_reasons ? why_refused(ack) : std::string_view();
    if (why.empty()) {
      send(connection, Ack{type, ack.packet_id, ack.reason, {}, {}});
    } else {
      send_reason(connection, Ack{type, ack.packet_id, ack.reason, {}, {}}, why);
    }
  }
  if (connection.acks.size() <= limits.receive_maximum / 2u) resume_input(connection);
}

void Broker::State::on_route_mail(unsigned from, RouteMail route_mail, Now now) {
  Waiter waiter;
  if (route_mail.wants_settlement) waiter = {Waiter::Kind::Shard, {}, from};
  Routed routed = Routed::of(std::make_shared<const MessageRecord>(std::move(route_mail.message)), waiter);
  route_mailed(routed, route_mail, now);
  finish_routing(routed, true);
}

void Broker::State::on_settled_mail(const SettledMail& settled) {
  if (Waiter* waiter = settlements.find(settled.message_id)) {
    waiter->is_full |= settled.is_full;
    waiter->is_taken |= settled.is_taken;
  }
  one_answered(settled.message_id, settled.is_refused);
}

}  // namespace wake::broker
