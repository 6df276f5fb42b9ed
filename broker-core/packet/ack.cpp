// Wire order: header, packet id, [v5: reason code, [properties]].
#include "broker-core/packet/ack.hpp"

#include "broker-core/packet/flags.hpp"
#include "broker-core/packet/reasons.hpp"

namespace wake::broker {

namespace {

ReasonCode read_ack(Reader& in, Version version, Ack& out) {
  if (!in.u16(out.packet_id.value)) return ReasonCode::MalformedPacket;
  if (out.packet_id.value == 0) return ReasonCode::ProtocolError;
  if (version != Version::V5) return in.is_empty() ? ReasonCode::Success : ReasonCode::MalformedPacket;
  Properties properties;
  const ReasonCode reason = read_optional_reason(in, out.type, out.reason, properties);
  out.reason_string = properties.reason_string.value_or(std::string_view());
  out.user_properties = std::move(properties.user_properties);
  return reason;
}

}  // namespace

Parsed<Ack> parse_ack(const Frame& frame, Version version) {
  const bool are_flags_valid =
      frame.type() == PacketType::Pubrel ? has_request_flags(frame, version) : frame.flags() == 0;
  if (!are_flags_valid) return ParseError{ReasonCode::MalformedPacket};
  Reader in(frame.body);
  Ack ack;
  ack.type = frame.type();
  const ReasonCode reason = read_ack(in, version, ack);
  if (reason != ReasonCode::Success) return ParseError{reason};
  return ack;
}

void write(const Ack& ack, Version version, std::vector<std::byte>& bytes) {
  const std::uint8_t flags = ack.type == PacketType::Pubrel ? 0x02 : 0;
  const bool says_more =
      ack.reason != ReasonCode::Success || !ack.reason_string.empty() || !ack.user_properties.empty();
  if (version != Version::V5 || !says_more) {  // nearly every one
    const std::byte packet[] = {static_cast<std::byte>(static_cast<unsigned>(ack.type) << 4 | flags),
                                std::byte{2}, static_cast<std::byte>(ack.packet_id.value >> 8),
                                static_cast<std::byte>(ack.packet_id.value & 0xFF)};
    return Writer(bytes).raw(Bytes(packet));
  }
  write_packet(ack.type, flags, bytes, [&](Writer& out) {
    out.u16(ack.packet_id.value);
    write_optional_reason(ack.reason, reason_properties(ack.reason_string, ack.user_properties), bytes);
  });
}

}  // namespace wake::broker
