// Wire order: 0x20, acknowledge flags (bit 0: session present), reason code, [v5: properties].
#include "broker-core/packet/connack.hpp"

#include "broker-core/packet/reasons.hpp"

namespace wake::broker {

namespace {

ReasonCode read_connack(Reader& in, Version version, Connack& out) {
  std::uint8_t flags = 0;
  if (!in.u8(flags)) return ReasonCode::MalformedPacket;
  if (version != Version::V31 && (flags & 0xFE) != 0)
    return ReasonCode::MalformedPacket;  // v5 [MQTT-3.2.2-1]
  out.session_present = version != Version::V31 && flags == 1;
  if (version == Version::V5) {
    const ReasonCode reason = read_reason(in, PacketType::Connack, out.reason);
    return reason == ReasonCode::Success ? parse(in, PacketType::Connack, out.properties) : reason;
  }
  std::uint8_t return_code = 0;
  if (!in.u8(return_code)) return ReasonCode::MalformedPacket;
  const auto reason = reason_from_connack_v3(return_code);
  if (!reason) return ReasonCode::MalformedPacket;
  out.reason = *reason;
  return ReasonCode::Success;
}

}  // namespace

Parsed<Connack> parse_connack(const Frame& frame, Version version) {
  if (frame.flags() != 0) return ParseError{ReasonCode::MalformedPacket};
  Reader in(frame.body);
  Connack connack;
  const ReasonCode reason = read_connack(in, version, connack);
  if (reason != ReasonCode::Success) return ParseError{reason};
  if (!in.is_empty()) return ParseError{ReasonCode::MalformedPacket};
  return connack;
}

void write(const Connack& connack, Version version, std::vector<std::byte>& bytes) {
  write_packet(PacketType::Connack, 0, bytes, [&](Writer& out) {
    const bool is_present =
        connack.session_present && version != Version::V31 && connack.reason == ReasonCode::Success;
    out.u8(is_present ? 1 : 0);
    if (version != Version::V5) return out.u8(connack_return_code_v3(connack.reason));
    out.u8(static_cast<std::uint8_t>(connack.reason));
    write(connack.properties, bytes);
  });
}

}  // namespace wake::broker
