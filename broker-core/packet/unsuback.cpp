// Wire order: 0xB0, packet id, [v5: properties, one reason code for each filter].
#include "broker-core/packet/unsuback.hpp"

#include "broker-core/packet/reasons.hpp"

namespace wake::broker {

namespace {

ReasonCode read_v5(Reader& in, Unsuback& out) {
  Properties properties;
  const ReasonCode reason = parse(in, PacketType::Unsuback, properties);
  if (reason != ReasonCode::Success) return reason;
  out.reason_string = properties.reason_string.value_or(std::string_view());
  out.user_properties = std::move(properties.user_properties);
  while (!in.is_empty()) {
    const ReasonCode outcome = read_reason(in, PacketType::Unsuback, out.reasons.emplace_back());
    if (outcome != ReasonCode::Success) return outcome;
  }
  return out.reasons.empty() ? ReasonCode::ProtocolError : ReasonCode::Success;
}

ReasonCode read_unsuback(Reader& in, Version version, Unsuback& out) {
  if (!in.u16(out.packet_id.value)) return ReasonCode::MalformedPacket;
  if (out.packet_id.value == 0) return ReasonCode::ProtocolError;
  if (version == Version::V5) return read_v5(in, out);
  return in.is_empty() ? ReasonCode::Success : ReasonCode::MalformedPacket;
}

}  // namespace

Parsed<Unsuback> parse_unsuback(const Frame& frame, Version version) {
  if (frame.flags() != 0) return ParseError{ReasonCode::MalformedPacket};
  Reader in(frame.body);
  Unsuback unsuback;
  const ReasonCode reason = read_unsuback(in, version, unsuback);
  if (reason != ReasonCode::Success) return ParseError{reason};
  return unsuback;
}

void write(const Unsuback& unsuback, Version version, std::vector<std::byte>& bytes) {
  write_packet(PacketType::Unsuback, 0, bytes, [&](Writer& out) {
    out.u16(unsuback.packet_id.value);
    if (version != Version::V5) return;
    write(reason_properties(unsuback.reason_string, unsuback.user_properties), bytes);
    for (const ReasonCode reason : unsuback.reasons) out.u8(static_cast<std::uint8_t>(reason));
  });
}

}  // namespace wake::broker
