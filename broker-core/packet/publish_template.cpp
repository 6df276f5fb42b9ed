// The sizes are computed first, so that the bytes are written once, in place, into one allocation.
#include "broker-core/packet/publish_template.hpp"

#include <algorithm>
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

struct Sizes {
  std::uint32_t properties = 0;
  std::uint32_t body = 0;  // everything after the remaining length
  std::size_t packet() const { return 1 + varint_size(body) + body; }
};

Sizes sizes_of(const PublishParts& parts) {
  std::size_t body = 2 + parts.topic.size() + parts.payload.size();
  if (parts.qos != Qos::AtMostOnce) body += 2;
  std::size_t properties = 0;
  if (parts.version == Version::V5) {
    properties = properties_bytes(parts);
    body += varint_size(static_cast<std::uint32_t>(properties)) + properties;
  }
  return {static_cast<std::uint32_t>(properties), static_cast<std::uint32_t>(body)};
}

std::uint8_t header_of(const PublishParts& parts) {
  const unsigned dup = parts.dup && parts.qos != Qos::AtMostOnce ? 0x08 : 0;
  return static_cast<std::uint8_t>(0x30 | dup | static_cast<unsigned>(parts.qos) << 1 |
                                   (parts.retain ? 1 : 0));
}

/// Writes into room that was measured before: nothing is checked, so nothing is called.
class Pen {
 public:
  explicit Pen(std::byte* at) : at_(at) {}
  void u8(std::uint32_t value) { *at_++ = static_cast<std::byte>(value); }
  void u16(std::uint32_t value) {
    u8(value >> 8);
    u8(value);
  }
  void u32(std::uint32_t value) {
    u16(value >> 16);
    u16(value);
  }
  void varint(std::uint32_t value) {
    for (; value >= 0x80; value >>= 7) u8(value | 0x80);
    u8(value);
  }
  void raw(Bytes bytes) { at_ = std::copy(bytes.begin(), bytes.end(), at_); }
  void string(std::string_view text) {
    u16(static_cast<std::uint32_t>(text.size()));
    raw(as_bytes(text));
  }

 private:
  std::byte* at_;
};

void put_properties(Pen& out, const PublishParts& parts, std::uint32_t properties_bytes) {
  out.varint(properties_bytes);
  if (parts.message_expiry_s) {
    out.u8(static_cast<std::uint32_t>(PropertyId::MessageExpiryInterval));
    out.u32(*parts.message_expiry_s);
  }
  for (const std::uint32_t id : parts.subscription_ids) {
    out.u8(static_cast<std::uint32_t>(PropertyId::SubscriptionIdentifier));
    out.varint(id);
  }
  if (parts.topic_alias != 0) {
    out.u8(static_cast<std::uint32_t>(PropertyId::TopicAlias));
    out.u16(parts.topic_alias);
  }
  out.raw(as_bytes(parts.forwardable_properties));
}

/// All but the payload, at the end of `bytes`.
void put_head(std::vector<std::byte>& bytes, const PublishParts& parts, const Sizes& sizes,
              PacketId packet_id) {
  const std::size_t start = bytes.size();
  bytes.resize(start + sizes.packet() - parts.payload.size());
  Pen out(bytes.data() + start);
  out.u8(header_of(parts));
  out.varint(sizes.body);
  out.string(parts.topic);
  if (parts.qos != Qos::AtMostOnce) out.u16(packet_id.value);
  if (parts.version == Version::V5) put_properties(out, parts, sizes.properties);
}

}  // namespace

std::size_t publish_packet_bytes(const PublishParts& parts) { return sizes_of(parts).packet(); }

PublishTemplate make_publish_template(const PublishParts& parts) {
  PublishTemplate made;
  const Sizes sizes = sizes_of(parts);
  made.bytes.reserve(sizes.packet());
  put_head(made.bytes, parts, sizes, {});
  if (parts.qos != Qos::AtMostOnce)
    made.packet_id_offset = 1 + varint_size(sizes.body) + 2 + parts.topic.size();
  made.bytes.insert(made.bytes.end(), parts.payload.begin(), parts.payload.end());
  assert(made.bytes.size() == sizes.packet());
  return made;
}

void append_publish_head(const PublishParts& parts, PacketId packet_id, std::vector<std::byte>& out) {
  put_head(out, parts, sizes_of(parts), packet_id);
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
