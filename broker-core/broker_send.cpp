// A message on its way out. At QoS 0 it is encoded once for all who may share the bytes. At QoS 1 and 2 each
// receiver has its own packet id, and is sent when it has a slot: the packet is written where it leaves from,
// which costs what copying a shared one would, and a large payload is shared, not copied. Also the topic
// aliases towards a client (v5 §3.3.2.3.4).
#include <algorithm>

#include "broker-core/broker_state.hpp"

namespace wake::broker {

namespace {

/// What a QoS 0 message meets when the client does not read: beyond it the message is dropped, as QoS 0
/// allows.
bool has_room(const Connection& connection, const Limits& limits, std::size_t bytes) {
  return connection.output.size() + bytes <= limits.max_queued_bytes;
}

std::optional<std::uint32_t> remaining_expiry_s(UtcTime expires_at, UtcTime now) {
  if (expires_at == kNever) return std::nullopt;
  // v5 [MQTT-3.3.2-6]: what is left. Rounded up, so that a message alive is never sent as 0.
  const auto left = std::chrono::ceil<std::chrono::seconds>(expires_at - now).count();
  return static_cast<std::uint32_t>(std::max<std::int64_t>(left, 0));
}

/// Those who are sent it while somebody has not read it all yet share a large one.
void append_payload(Outbound& output, Message& message) {
  const Bytes payload = as_bytes(message.record->payload);
  if (payload.size() < Outbound::kShareFrom) return output.append(payload);
  SharedBytes shared = message.large_payload.lock();
  if (!shared) shared = std::make_shared<const std::vector<std::byte>>(payload.begin(), payload.end());
  message.large_payload = shared;
  output.append_shared(shared);
}

}  // namespace

void Broker::State::send_now(Routed& routed, const Target& target, Session& session, EncodedCache& cache,
                             Now now) {
  Connection& connection = *connection_of(session);
  const bool retain = target.retain_as_published && routed.retain;
  const int kind = connection.version != Version::V5 ? 0 : connection.sends_wake_id ? 2 : 1;
  auto& slot = cache.slots[kind * 2 + (retain ? 1 : 0)];
  // Subscription identifiers and aliases are the receiver's own: such a packet is not shared.
  const bool has_alias = connection.aliases && connection.aliases->out.has_place_for(routed.topic);
  const bool is_own = kind != 0 && (!target.subscription_ids.empty() || has_alias);
  if (is_own || !slot) {
    std::string properties(routed.properties);
    if (kind == 2) append_user_property(properties, "wake-id", std::to_string(routed.id.value));
    PublishParts parts{.version = connection.version,
                       .dup = false,
                       .qos = Qos::AtMostOnce,
                       .retain = retain,
                       .topic = routed.topic,
                       .payload = routed.payload,
                       .forwardable_properties = properties,
                       .message_expiry_s = remaining_expiry_s(routed.expires_at, now.utc),
                       .subscription_ids = target.subscription_ids};
    if (is_own) return send_own(connection, parts);
    slot = EncodedCache::Encoded{make_publish_template(parts), nullptr};
  }
  const PublishTemplate& packet = slot->publish;
  if (!may_send(connection, packet.bytes.size())) return;
  count_sent(routed.payload.size());
  if (packet.bytes.size() >= Outbound::kShareFrom) {
    if (!slot->shared) slot->shared = std::make_shared<const std::vector<std::byte>>(packet.bytes);
    connection.output.append_shared(slot->shared);
  } else {
    connection.output.append(packet.bytes);
  }
}

void Broker::State::send_own(Connection& connection, PublishParts& parts) {
  if (!may_send(connection, publish_packet_bytes(parts))) return;
  use_alias(connection, parts);
  count_sent(parts.payload.size());
  connection.output.append(make_publish_template(parts).bytes);
}

bool Broker::State::send_delivery(Connection& connection, Session& session, std::size_t position, Now now) {
  const Delivery& next = session.deliveries[position];
  const RecordPtr& record = next.message->record;
  if (record->expires_at <= now.utc && !next.is_again) return false;
  PublishParts parts{.version = connection.version,
                     .dup = next.is_again || next.is_doubtful,
                     .qos = next.qos,
                     .retain = next.retain,
                     .topic = record->topic,
                     .payload = as_bytes(record->payload),
                     .forwardable_properties = record->properties,
                     .message_expiry_s = {},
                     .subscription_ids = {}};
  std::vector<std::uint32_t> ids;
  std::string properties;
  if (connection.version == Version::V5) {
    parts.subscription_ids = ids = subscription_ids_of(session, next);
    parts.message_expiry_s = remaining_expiry_s(record->expires_at, now.utc);
  }
  if (connection.sends_wake_id) {
    properties = record->properties;
    append_user_property(properties, "wake-id", std::to_string(record->id.value));
    parts.forwardable_properties = properties;
  }
  if (publish_packet_bytes(parts) > connection.max_packet_bytes) {
    ++counters.publishes_dropped;  // v5 [MQTT-3.1.2-24]: as if it had been sent
    return false;
  }
  use_alias(connection, parts);
  append_publish_head(parts, session.packet_id_at(position), connection.output.own_bytes());
  append_payload(connection.output, *next.message);
  count_sent(record->payload.size());
  touch(connection);
  return true;
}

void Broker::State::count_sent(std::size_t payload_bytes) {
  ++counters.packets_sent;
  ++counters.publishes_sent;
  counters.publish_bytes_sent += payload_bytes;
}

bool Broker::State::may_send(Connection& connection, std::size_t bytes) {
  if (bytes > connection.max_packet_bytes || !has_room(connection, limits, bytes)) {
    ++counters.publishes_dropped;
    return false;
  }
  touch(connection);
  return true;
}

void Broker::State::use_alias(Connection& connection, PublishParts& parts) {
  if (!connection.aliases || !connection.aliases->out.has_place_for(parts.topic)) return;
  // One more byte where the length of the properties grows into two.
  if (publish_packet_bytes(parts) + kTopicAliasBytes + 1 > connection.max_packet_bytes) return;
  const OutgoingAliases::Alias alias = connection.aliases->out.take(parts.topic);
  parts.topic_alias = alias.number;
  if (!alias.is_new) parts.topic = {};
}

}  // namespace wake::broker
