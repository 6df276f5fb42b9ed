// A PUBLISH on its way out: encoded once per (version, QoS, retain) and sent to many, who differ in packet id
// and dup only; or written for one, right where it leaves from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "broker-core/types.hpp"

namespace wake::broker {

/// What a template is made from. 3.x leaves the last four out.
struct PublishParts {
  Version version = Version::V311;
  bool dup = false;
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  std::string_view topic;
  Bytes payload;
  std::string_view forwardable_properties;          // as forwardable_properties() makes them
  std::optional<std::uint32_t> message_expiry_s;    // what is left of it: v5 [MQTT-3.3.2-6]
  std::span<const std::uint32_t> subscription_ids;  // v5 [MQTT-3.3.4-3]
  std::uint16_t topic_alias = 0;  // v5 §3.3.2.3.4; 0: none. The receiver's own, so not to be shared
};

/// What a topic alias adds to a packet.
inline constexpr std::size_t kTopicAliasBytes = 1 + 2;

/// Owned bytes of a whole packet, to be shared by reference.
struct PublishTemplate {
  std::vector<std::byte> bytes;
  std::size_t packet_id_offset =
      0;  // where the two bytes of the packet id stand, zero in the template; 0: QoS 0, none

  /// For gathered writes: what is before the packet id, and what is after it. QoS 0: all of it is `head`.
  Bytes head() const { return packet_id_offset == 0 ? Bytes(bytes) : Bytes(bytes).first(packet_id_offset); }
  Bytes tail() const { return packet_id_offset == 0 ? Bytes() : Bytes(bytes).subspan(packet_id_offset + 2); }
};

/// One allocation of the exact size.
PublishTemplate make_publish_template(const PublishParts& parts);

/// Bytes that the packet would have, without making it: for the receiver's maximum packet size (v5
/// [MQTT-3.1.2-24]).
std::size_t publish_packet_bytes(const PublishParts& parts);

/// Appends the packet to `out` with this packet id (unused at QoS 0) and, where asked, the dup flag.
void append_publish(const PublishTemplate& publish, PacketId packet_id, bool dup,
                    std::vector<std::byte>& out);

/// All of a packet but its payload, which is to follow: for one receiver, where a template would be made,
/// copied and thrown away.
void append_publish_head(const PublishParts& parts, PacketId packet_id, std::vector<std::byte>& out);

}  // namespace wake::broker
