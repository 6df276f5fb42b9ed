// v5 §2.2.2. Which property may stand where is the table in allowed_properties(), made from the
// specification's table 2-4.
#include "broker-core/packet/properties.hpp"

#include "broker-core/packet/property_fields.hpp"

namespace wake::broker {

namespace {

using Id = PropertyId;

constexpr fields::IdSet kReasons = fields::set_of(Id::ReasonString, Id::UserProperty);

constexpr fields::IdSet allowed_properties(PacketType packet) {
  using fields::set_of;
  switch (packet) {
    case PacketType::Connect:
      return set_of(Id::SessionExpiryInterval, Id::AuthenticationMethod, Id::AuthenticationData,
                    Id::RequestProblemInformation, Id::RequestResponseInformation, Id::ReceiveMaximum,
                    Id::TopicAliasMaximum, Id::UserProperty, Id::MaximumPacketSize);
    case PacketType::Connack:
      return kReasons | set_of(Id::SessionExpiryInterval, Id::AssignedClientIdentifier, Id::ServerKeepAlive,
                               Id::AuthenticationMethod, Id::AuthenticationData, Id::ResponseInformation,
                               Id::ServerReference, Id::ReceiveMaximum, Id::TopicAliasMaximum, Id::MaximumQos,
                               Id::RetainAvailable, Id::MaximumPacketSize, Id::WildcardSubscriptionAvailable,
                               Id::SubscriptionIdentifierAvailable, Id::SharedSubscriptionAvailable);
    case PacketType::Publish:
      return set_of(Id::PayloadFormatIndicator, Id::MessageExpiryInterval, Id::ContentType, Id::ResponseTopic,
                    Id::CorrelationData, Id::SubscriptionIdentifier, Id::TopicAlias, Id::UserProperty);
    case PacketType::Subscribe:
      return set_of(Id::SubscriptionIdentifier, Id::UserProperty);
    case PacketType::Unsubscribe:
      return set_of(Id::UserProperty);
    case PacketType::Disconnect:
      return kReasons | set_of(Id::SessionExpiryInterval, Id::ServerReference);
    case PacketType::Auth:
      return kReasons | set_of(Id::AuthenticationMethod, Id::AuthenticationData);
    case PacketType::Puback:
    case PacketType::Pubrec:
    case PacketType::Pubrel:
    case PacketType::Pubcomp:
    case PacketType::Suback:
    case PacketType::Unsuback:
      return kReasons;
    case PacketType::Pingreq:
    case PacketType::Pingresp:
      return 0;
  }
  return 0;
}

ReasonCode read_value(Id id, Reader& in, Properties& out) {
  using fields::get;
  switch (id) {
    case Id::SubscriptionIdentifier:
      return fields::get_subscription_id(in, out.subscription_id.emplace());
    case Id::SessionExpiryInterval:
      return get(in, out.session_expiry_s);
    case Id::AssignedClientIdentifier:
      return get(in, out.assigned_client_id);
    case Id::ServerKeepAlive:
      return get(in, out.server_keep_alive_s);
    case Id::AuthenticationMethod:
      return get(in, out.authentication_method);
    case Id::AuthenticationData:
      return get(in, out.authentication_data);
    case Id::RequestProblemInformation:
      return get(in, out.request_problem_information);
    case Id::RequestResponseInformation:
      return get(in, out.request_response_information);
    case Id::ResponseInformation:
      return get(in, out.response_information);
    case Id::ServerReference:
      return get(in, out.server_reference);
    case Id::ReasonString:
      return get(in, out.reason_string);
    case Id::ReceiveMaximum:
      return fields::get_positive(in, out.receive_maximum);
    case Id::TopicAliasMaximum:
      return get(in, out.topic_alias_maximum);
    case Id::MaximumQos:
      return fields::get_bit(in, out.maximum_qos.emplace());
    case Id::RetainAvailable:
      return get(in, out.retain_available);
    case Id::UserProperty:
      return fields::get_user_property(in, out.user_properties);
    case Id::MaximumPacketSize:
      return fields::get_positive(in, out.maximum_packet_bytes);
    case Id::WildcardSubscriptionAvailable:
      return get(in, out.wildcard_subscription_available);
    case Id::SubscriptionIdentifierAvailable:
      return get(in, out.subscription_id_available);
    case Id::SharedSubscriptionAvailable:
      return get(in, out.shared_subscription_available);
    default:
      return ReasonCode::MalformedPacket;  // those of PUBLISH and the will have their own parser
  }
}

}  // namespace

bool is_property_allowed(PropertyId id, PacketType packet) {
  return (allowed_properties(packet) & fields::bit(id)) != 0;
}

ReasonCode parse(Reader& in, PacketType packet, Properties& out) {
  Reader block;
  if (!fields::get_block(in, block)) return ReasonCode::MalformedPacket;
  return fields::for_each_property(block, allowed_properties(packet), fields::bit(Id::UserProperty),
                                   [&](Id id, Reader& value) { return read_value(id, value, out); });
}

void write(const Properties& properties, std::vector<std::byte>& bytes) {
  write_with_length(bytes, [&](Writer& out) {
    using fields::put;
    if (properties.subscription_id) {
      out.u8(static_cast<std::uint8_t>(Id::SubscriptionIdentifier));
      out.varint(*properties.subscription_id);
    }
    put(out, Id::SessionExpiryInterval, properties.session_expiry_s);
    put(out, Id::AssignedClientIdentifier, properties.assigned_client_id);
    put(out, Id::ServerKeepAlive, properties.server_keep_alive_s);
    put(out, Id::AuthenticationMethod, properties.authentication_method);
    put(out, Id::AuthenticationData, properties.authentication_data);
    put(out, Id::RequestProblemInformation, properties.request_problem_information);
    put(out, Id::RequestResponseInformation, properties.request_response_information);
    put(out, Id::ResponseInformation, properties.response_information);
    put(out, Id::ServerReference, properties.server_reference);
    put(out, Id::ReasonString, properties.reason_string);
    put(out, Id::ReceiveMaximum, properties.receive_maximum);
    put(out, Id::TopicAliasMaximum, properties.topic_alias_maximum);
    put(out, Id::MaximumQos, properties.maximum_qos);
    put(out, Id::RetainAvailable, properties.retain_available);
    put(out, Id::MaximumPacketSize, properties.maximum_packet_bytes);
    put(out, Id::WildcardSubscriptionAvailable, properties.wildcard_subscription_available);
    put(out, Id::SubscriptionIdentifierAvailable, properties.subscription_id_available);
    put(out, Id::SharedSubscriptionAvailable, properties.shared_subscription_available);
    fields::put_user_properties(out, properties.user_properties);
  });
}

}  // namespace wake::broker
