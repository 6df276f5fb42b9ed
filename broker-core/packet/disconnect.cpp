// Wire order: 0xE0, [v5: reason code, [properties]].
#include "broker-core/packet/disconnect.hpp"

#include "broker-core/packet/reasons.hpp"

namespace wake::broker {

Parsed<Disconnect> parse_disconnect(const Frame& frame, Version version) {
  if (frame.flags() != 0) return ParseError{ReasonCode::MalformedPacket};  // v5 [MQTT-3.14.1-1]
  Disconnect disconnect;
  if (version != Version::V5) {
    if (!frame.body.empty()) return ParseError{ReasonCode::MalformedPacket};
    return disconnect;
  }
  Reader in(frame.body);
  const ReasonCode reason =
      read_optional_reason(in, PacketType::Disconnect, disconnect.reason, disconnect.properties);
  if (reason != ReasonCode::Success) return ParseError{reason};
  return disconnect;
}

void write(const Disconnect& disconnect, Version version, std::vector<std::byte>& bytes) {
  write_packet(PacketType::Disconnect, 0, bytes, [&](Writer&) {
    if (version == Version::V5) write_optional_reason(disconnect.reason, disconnect.properties, bytes);
  });
}

}  // namespace wake::broker
