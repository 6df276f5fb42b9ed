// v5 §2.2.2: the properties of all packets but PUBLISH and the will, which have publish_properties.hpp.
// Members in the order of the specification's table 2-4, named as there. Views into the read buffer: valid
// until it moves.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "broker-core/packet/frame.hpp"
#include "broker-core/packet/reader.hpp"
#include "broker-core/packet/writer.hpp"
#include "broker-core/types.hpp"

namespace wake::broker {

/// Name and value, both valid UTF-8. The same name may appear twice, and order counts: v5 [MQTT-3.3.2-18].
using UserProperty = std::pair<std::string_view, std::string_view>;

/// User properties in one packet; more is QuotaExceeded. Bounds what five bytes can make us allocate.
inline constexpr std::size_t kMaxUserProperties = 256;

/// v5 table 2-4.
enum class PropertyId : std::uint8_t {
  PayloadFormatIndicator = 0x01,
  MessageExpiryInterval = 0x02,
  ContentType = 0x03,
  ResponseTopic = 0x08,
  CorrelationData = 0x09,
  SubscriptionIdentifier = 0x0B,
  SessionExpiryInterval = 0x11,
  AssignedClientIdentifier = 0x12,
  ServerKeepAlive = 0x13,
  AuthenticationMethod = 0x15,
  AuthenticationData = 0x16,
  RequestProblemInformation = 0x17,
  WillDelayInterval = 0x18,
  RequestResponseInformation = 0x19,
  ResponseInformation = 0x1A,
  ServerReference = 0x1C,
  ReasonString = 0x1F,
  ReceiveMaximum = 0x21,
  TopicAliasMaximum = 0x22,
  TopicAlias = 0x23,
  MaximumQos = 0x24,
  RetainAvailable = 0x25,
  UserProperty = 0x26,
  MaximumPacketSize = 0x27,
  WildcardSubscriptionAvailable = 0x28,
  SubscriptionIdentifierAvailable = 0x29,
  SharedSubscriptionAvailable = 0x2A,
};

/// Absent means absent on the wire; the specification's defaults are the reader's business.
struct Properties {
  std::optional<std::uint32_t> subscription_id;   // SUBSCRIBE; 1..268'435'455
  std::optional<std::uint32_t> session_expiry_s;  // CONNECT, CONNACK, DISCONNECT; 0xFFFFFFFF: never
  std::optional<std::string_view> assigned_client_id;
  std::optional<std::uint16_t> server_keep_alive_s;
  std::optional<std::string_view> authentication_method;
  std::optional<Bytes> authentication_data;  // never logged
  std::optional<bool> request_problem_information;
  std::optional<bool> request_response_information;
  std::optional<std::string_view> response_information;
  std::optional<std::string_view> server_reference;
  std::optional<std::string_view> reason_string;
  std::optional<std::uint16_t> receive_maximum;  // 1..65'535
  std::optional<std::uint16_t> topic_alias_maximum;
  std::optional<std::uint8_t> maximum_qos;  // 0 or 1
  std::optional<bool> retain_available;
  std::optional<std::uint32_t> maximum_packet_bytes;  // >= 1
  std::optional<bool> wildcard_subscription_available;
  std::optional<bool> subscription_id_available;
  std::optional<bool> shared_subscription_available;
  std::vector<UserProperty> user_properties;
};

/// Reads property length and properties off the front of `in`; each must be allowed in `packet` and, but for
/// user properties, appear once.
///   returns  Success, else what is wrong: MalformedPacket (unknown, not allowed here, cut), ProtocolError
///            (repeated, a value out of range), QuotaExceeded (kMaxUserProperties)
///   spec     v5 §2.2.2, and the Properties section of each packet
ReasonCode parse(Reader& in, PacketType packet, Properties& out);

/// Appends property length and properties, in the order of the struct.
void write(const Properties& properties, std::vector<std::byte>& out);

/// True when the property may stand in that packet (v5 table 2-4). Will properties: see
/// publish_properties.hpp.
bool is_property_allowed(PropertyId id, PacketType packet);

}  // namespace wake::broker
