// The sizes are computed first, so that the bytes are written once, in place, into one allocation.
#include "broker-core/packet/publish_template.hpp"

#include <cassert>

#include "broker-core/packet/properties.hpp"
#include "broker-core/packet/writer.hpp"

namespace wake::broker {

namespace {

std::size_t properties_bytes(const PublishParts& parts) {
  std::size_t bytes = parts.forwardable_properties.size();
  if (parts.message_expiry_s) bytes += 1 + 4;
  for (const std::uint32_t id : parts.subscription_ids) bytes += 1 + varint_size(id);
  if (parts.topic_alias != 0) bytes += kTopicAliasBytes;
  return bytes;
}

/// Everything after the remaining length.
std::size_t body_bytes(const PublishParts& parts) {
  std::size_t bytes = 2 + parts.topic.size() + parts.payload.size();
  if (parts.qos != Qos::AtMostOnce) bytes += 2;
  if (parts.version != Version::V5) return bytes;
  const std::size_t properties = properties_bytes(parts);
  return bytes + varint_size(static_cast<std::uint32_t>(properties)) + properties;
}

std::uint8_t header_of(const PublishParts& parts) {
  const unsigned dup = parts.dup && parts.qos != Qos::AtMostOnce ? 0x08 : 0;
  return static_cast<std::uint8_t>(0x30 | dup | static_cast<unsigned>(parts.qos) << 1 |
                                   (parts.retain ? 1 : 0));
}

void put_properties(Writer& out, const PublishParts& parts) {
  out.varint(static_cast<std::uint32_t>(properties_bytes(parts)));
  if (parts.message_expiry_s) {
    out.u8(static_cast<std::uint8_t>(PropertyId::MessageExpiryInterval));
    out.u32(*parts.message_expiry_s);
  }
  for (const std::uint32_t id : parts.subscription_ids) {
    out.u8(static_cast<std::uint8_t>(PropertyId::SubscriptionIdentifier));
    out.varint(id);
  }
  if (parts.topic_alias != 0) {
    out.u8(static_cast<std::uint8_t>(PropertyId::TopicAlias));
    out.u16(parts.topic_alias);
  }
  out.raw(parts.forwardable_properties);
}

}  // namespace

std::size_t publish_packet_bytes(const PublishParts& parts) {
  const std::size_t body = body_bytes(parts);
  return 1 + varint_size(static_cast<std::uint32_t>(body)) + body;
}

PublishTemplate make_publish_template(const PublishParts& parts) {
  PublishTemplate made;
  Writer out(made.bytes);
  out.reserve(publish_packet_bytes(parts));
  out.u8(header_of(parts));
  out.varint(static_cast<std::uint32_t>(body_bytes(parts)));
  out.string(parts.topic);
  if (parts.qos != Qos::AtMostOnce) {
    made.packet_id_offset = out.size();
    out.u16(0);
  }
  if (parts.version == Version::V5) put_properties(out, parts);
  out.raw(parts.payload);
  assert(out.size() == publish_packet_bytes(parts));
  return made;
}

void append_publish(const PublishTemplate& publish, PacketId packet_id, bool dup,
                    std::vector<std::byte>& out) {
  const std::size_t start = out.size();
  out.insert(out.end(), publish.bytes.begin(), publish.bytes.end());
  if (publish.packet_id_offset == 0) return;
  if (dup) out[start] |= std::byte{0x08};
  out[start + publish.packet_id_offset] = static_cast<std::byte>(packet_id.value >> 8);
  out[start + publish.packet_id_offset + 1] = static_cast<std::byte>(packet_id.value & 0xFF);
}

}  // namespace wake::broker
