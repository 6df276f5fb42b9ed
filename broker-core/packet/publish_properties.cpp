// v5 §3.3.2.3 and §3.1.3.2. Forwardable bytes are written in one fixed order, whatever order they came in:
// between different properties order says nothing (v5 §2.2.2.2); between user properties it is kept.
#include "broker-core/packet/publish_properties.hpp"

#include "broker-core/packet/property_fields.hpp"

namespace wake::broker {

namespace {

using Id = PropertyId;

constexpr fields::IdSet kForwarded = fields::set_of(Id::PayloadFormatIndicator, Id::ContentType,
                                                    Id::ResponseTopic, Id::CorrelationData, Id::UserProperty);
constexpr fields::IdSet kPublish =
    kForwarded | fields::set_of(Id::MessageExpiryInterval, Id::TopicAlias, Id::SubscriptionIdentifier);
constexpr fields::IdSet kWill = kForwarded | fields::set_of(Id::MessageExpiryInterval, Id::WillDelayInterval);
constexpr fields::IdSet kRepeatable = fields::set_of(Id::UserProperty, Id::SubscriptionIdentifier);

/// v5 §3.3.2.3.4: 0 is not an alias.
ReasonCode read_topic_alias(Reader& in, std::optional<std::uint16_t>& out) {
  const ReasonCode reason = fields::get(in, out);
  return reason == ReasonCode::Success && *out == 0 ? ReasonCode::TopicAliasInvalid : reason;
}

/// v5 [MQTT-3.3.2-14]: it is a topic to publish to.
ReasonCode read_response_topic(Reader& in, std::optional<std::string_view>& out) {
  const ReasonCode reason = fields::get(in, out);
  const bool has_wildcard =
      reason == ReasonCode::Success && out->find_first_of("+#") != std::string_view::npos;
  return has_wildcard ? ReasonCode::ProtocolError : reason;
}

ReasonCode read_value(Id id, Reader& in, PublishProperties& out, std::uint32_t* will_delay_s) {
  using fields::get;
  switch (id) {
    case Id::PayloadFormatIndicator:
      return get(in, out.payload_format);
    case Id::MessageExpiryInterval:
      return get(in, out.message_expiry_s);
    case Id::ContentType:
      return get(in, out.content_type);
    case Id::ResponseTopic:
      return read_response_topic(in, out.response_topic);
    case Id::CorrelationData:
      return get(in, out.correlation_data);
    case Id::SubscriptionIdentifier:
      return fields::get_subscription_id(in, out.subscription_ids.emplace_back());
    case Id::TopicAlias:
      return read_topic_alias(in, out.topic_alias);
    case Id::UserProperty:
      return fields::get_user_property(in, out.user_properties);
    case Id::WillDelayInterval:
      return fields::verdict(in.u32(*will_delay_s));  // allowed with a delay only
    default:
      return ReasonCode::MalformedPacket;
  }
}

ReasonCode parse_block(Reader& block, fields::IdSet allowed, PublishProperties& out,
                       std::uint32_t* will_delay_s) {
  return fields::for_each_property(block, allowed, kRepeatable, [&](Id id, Reader& value) {
    return read_value(id, value, out, will_delay_s);
  });
}

void put_forwarded(Writer& out, const PublishProperties& properties) {
  using fields::put;
  put(out, Id::PayloadFormatIndicator, properties.payload_format);
  put(out, Id::ContentType, properties.content_type);
  put(out, Id::ResponseTopic, properties.response_topic);
  put(out, Id::CorrelationData, properties.correlation_data);
  fields::put_user_properties(out, properties.user_properties);
}

bool has_forwarded(const PublishProperties& properties) {
  return properties.payload_format || properties.content_type || properties.response_topic ||
         properties.correlation_data || !properties.user_properties.empty();
}

}  // namespace

ReasonCode parse(Reader& in, PublishProperties& out) {
  Reader block;
  if (!fields::get_block(in, block)) return ReasonCode::MalformedPacket;
  return parse_block(block, kPublish, out, nullptr);
}

ReasonCode parse_will(Reader& in, PublishProperties& out, std::uint32_t& delay_s) {
  Reader block;
  if (!fields::get_block(in, block)) return ReasonCode::MalformedPacket;
  return parse_block(block, kWill, out, &delay_s);
}

void write(const PublishProperties& properties, std::vector<std::byte>& bytes, std::uint32_t will_delay_s) {
  write_with_length(bytes, [&](Writer& out) {
    if (will_delay_s != 0) fields::put(out, Id::WillDelayInterval, std::optional(will_delay_s));
    fields::put(out, Id::MessageExpiryInterval, properties.message_expiry_s);
    fields::put(out, Id::TopicAlias, properties.topic_alias);
    for (const std::uint32_t id : properties.subscription_ids) {
      out.u8(static_cast<std::uint8_t>(Id::SubscriptionIdentifier));
      out.varint(id);
    }
    put_forwarded(out, properties);
  });
}

std::string forwardable_properties(const PublishProperties& properties) {
  if (!has_forwarded(properties)) return {};
  std::vector<std::byte> bytes;
  Writer out(bytes);
  put_forwarded(out, properties);
  return std::string(as_text(bytes));
}

std::optional<PublishProperties> parse_forwardable(std::string_view bytes) {
  Reader block(as_bytes(bytes));
  PublishProperties properties;
  if (parse_block(block, kForwarded, properties, nullptr) != ReasonCode::Success) return std::nullopt;
  return properties;
}

void append_user_property(std::string& forwardable, std::string_view name, std::string_view value) {
  std::vector<std::byte> bytes;
  Writer out(bytes);
  fields::put_user_properties(out, {{name, value}});
  forwardable += as_text(bytes);
}

}  // namespace wake::broker
