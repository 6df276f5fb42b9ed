// Wire order: 0x90, packet id, [v5: properties], one reason code for each filter.
#include "broker-core/packet/suback.hpp"

#include "broker-core/packet/reasons.hpp"

namespace wake::broker {

namespace {

/// v3.1.1 [MQTT-3.9.3-2]: 0, 1, 2 and 0x80 only.
bool is_return_code_v3(ReasonCode reason) {
  return static_cast<unsigned>(reason) <= 2 || reason == ReasonCode::UnspecifiedError;
}

ReasonCode read_reasons(Reader& in, Version version, std::vector<ReasonCode>& out) {
  while (!in.is_empty()) {
    ReasonCode reason{};
    const ReasonCode outcome = read_reason(in, PacketType::Suback, reason);
    if (outcome != ReasonCode::Success) return outcome;
    if (version != Version::V5 && !is_return_code_v3(reason)) return ReasonCode::MalformedPacket;
    out.push_back(reason);
  }
  return out.empty() ? ReasonCode::ProtocolError : ReasonCode::Success;
}

ReasonCode read_suback(Reader& in, Version version, Suback& out) {
  if (!in.u16(out.packet_id.value)) return ReasonCode::MalformedPacket;
  if (out.packet_id.value == 0) return ReasonCode::ProtocolError;
  if (version == Version::V5) {
    Properties properties;
    const ReasonCode reason = parse(in, PacketType::Suback, properties);
    if (reason != ReasonCode::Success) return reason;
    out.reason_string = properties.reason_string.value_or(std::string_view());
    out.user_properties = std::move(properties.user_properties);
  }
  return read_reasons(in, version, out.reasons);
}

}  // namespace

Parsed<Suback> parse_suback(const Frame& frame, Version version) {
  if (frame.flags() != 0) return ParseError{ReasonCode::MalformedPacket};
  Reader in(frame.body);
  Suback suback;
  const ReasonCode reason = read_suback(in, version, suback);
  if (reason != ReasonCode::Success) return ParseError{reason};
  return suback;
}

void write(const Suback& suback, Version version, std::vector<std::byte>& bytes) {
  write_packet(PacketType::Suback, 0, bytes, [&](Writer& out) {
    out.u16(suback.packet_id.value);
    if (version == Version::V5) write(reason_properties(suback.reason_string, suback.user_properties), bytes);
    for (const ReasonCode reason : suback.reasons) {
      const bool is_flattened = version != Version::V5 && is_failure(reason);
      out.u8(static_cast<std::uint8_t>(is_flattened ? ReasonCode::UnspecifiedError : reason));
    }
  });
}

}  // namespace wake::broker
