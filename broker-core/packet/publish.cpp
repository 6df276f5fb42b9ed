#include "broker-core/packet/publish.hpp"

namespace wake::broker {

namespace {

bool read_flags(std::uint8_t flags, Publish& out) {
  const unsigned qos = flags >> 1 & 3u;
  if (qos == 3) return false;  // v5 [MQTT-3.3.1-4]
  out.dup = (flags & 0x08) != 0;
  out.qos = static_cast<Qos>(qos);
  out.retain = (flags & 0x01) != 0;
  return !out.dup || qos != 0;  // v5 [MQTT-3.3.1-2]
}

ReasonCode read_packet_id(Reader& in, Publish& out) {
  if (out.qos == Qos::AtMostOnce) return ReasonCode::Success;
  if (!in.u16(out.packet_id.value)) return ReasonCode::MalformedPacket;
  return out.packet_id.value == 0 ? ReasonCode::ProtocolError : ReasonCode::Success;  // v5 [MQTT-2.2.1-3]
}

/// v5 §3.3.2.1: no topic needs an alias. 3.x: v3.1.1 [MQTT-4.7.3-1].
ReasonCode check_topic(const Publish& publish, Version version) {
  if (!publish.topic.empty() || publish.properties.topic_alias) return ReasonCode::Success;
  return version == Version::V5 ? ReasonCode::ProtocolError : ReasonCode::MalformedPacket;
}

ReasonCode read_publish(Reader& in, Version version, Publish& out) {
  if (!in.string(out.topic)) return ReasonCode::MalformedPacket;
  ReasonCode reason = read_packet_id(in, out);
  if (reason == ReasonCode::Success && version == Version::V5) reason = parse(in, out.properties);
  if (reason == ReasonCode::Success) reason = check_topic(out, version);
  out.payload = in.rest();
  return reason;
}

}  // namespace

Parsed<Publish> parse_publish(const Frame& frame, Version version) {
  Parsed<Publish> result;
  Publish& publish = std::get<Publish>(result);
  if (!read_flags(frame.flags(), publish)) return ParseError{ReasonCode::MalformedPacket};
  Reader in(frame.body);
  const ReasonCode reason = read_publish(in, version, publish);
  if (reason != ReasonCode::Success) result = ParseError{reason};
  return result;
}

void write(const Publish& publish, Version version, std::vector<std::byte>& bytes) {
  const unsigned flags =
      (publish.dup ? 0x08u : 0u) | static_cast<unsigned>(publish.qos) << 1 | (publish.retain ? 1u : 0u);
  write_packet(PacketType::Publish, static_cast<std::uint8_t>(flags), bytes, [&](Writer& out) {
    out.string(publish.topic);
    if (publish.qos != Qos::AtMostOnce) out.u16(publish.packet_id.value);
    if (version == Version::V5) write(publish.properties, bytes);
    out.raw(publish.payload);
  });
}

}  // namespace wake::broker
