// The properties of PUBLISH and of the will (v5 §3.3.2.3, §3.1.3.2), and the part of them that a server
// forwards unaltered. Views into the read buffer: valid until it moves. Without properties nothing is
// allocated.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker-core/packet/properties.hpp"

namespace wake::broker {

struct PublishProperties {
  std::optional<bool> payload_format;  // true: the payload is UTF-8 text
  std::optional<std::uint32_t> message_expiry_s;
  std::optional<std::uint16_t> topic_alias;  // 1..65'535
  std::optional<std::string_view> response_topic;
  std::optional<Bytes> correlation_data;
  std::vector<std::uint32_t>
      subscription_ids;  // server to client only: refusing them from a client is the machine's part
  std::vector<UserProperty> user_properties;
  std::optional<std::string_view> content_type;
};

/// Reads property length and properties off the front of `in`.
///   returns  Success, else MalformedPacket, ProtocolError, QuotaExceeded as for Properties;
///   TopicAliasInvalid (alias 0)
ReasonCode parse(Reader& in, PublishProperties& out);

/// The same for a will, which may have a delay but neither topic alias nor subscription identifiers.
ReasonCode parse_will(Reader& in, PublishProperties& out, std::uint32_t& delay_s);

/// Appends property length and properties. `will_delay_s` 0 is left out: it is the default.
void write(const PublishProperties& properties, std::vector<std::byte>& out, std::uint32_t will_delay_s = 0);

/// The application's own properties as they stand on the wire, without length: payload format, content type,
/// response topic, correlation data, user properties in their order. Not the hop's own: topic alias,
/// subscription identifiers, message expiry. This is MessageRecord::properties; empty for a message without
/// any.
///   spec  v5 [MQTT-3.3.2-4], [MQTT-3.3.2-15], [MQTT-3.3.2-16], [MQTT-3.3.2-17], [MQTT-3.3.2-20]
std::string forwardable_properties(const PublishProperties& properties);

/// The reverse, for reading wake-title and its kin from a stored message; views into `bytes`. Bytes that are
/// not what forwardable_properties makes give nullopt.
std::optional<PublishProperties> parse_forwardable(std::string_view bytes);

/// Adds one user property at the end of forwardable bytes (such as wake-id). Both at most 65'535 bytes of
/// UTF-8.
void append_user_property(std::string& forwardable, std::string_view name, std::string_view value);

}  // namespace wake::broker
