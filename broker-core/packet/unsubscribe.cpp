// Wire order: 0xA2, packet id, [v5: properties], filters.
#include "broker-core/packet/unsubscribe.hpp"

#include "broker-core/packet/flags.hpp"
#include "broker-core/packet/subscribe.hpp"

namespace wake::broker {

namespace {

ReasonCode read_filters(Reader& in, std::vector<std::string_view>& out) {
  while (!in.is_empty()) {
    if (out.size() >= kMaxFiltersPerPacket) return ReasonCode::QuotaExceeded;
    if (!in.string(out.emplace_back())) return ReasonCode::MalformedPacket;
  }
  return out.empty() ? ReasonCode::ProtocolError : ReasonCode::Success;  // v5 [MQTT-3.10.3-2]
}

ReasonCode read_unsubscribe(Reader& in, Version version, Unsubscribe& out) {
  if (!in.u16(out.packet_id.value)) return ReasonCode::MalformedPacket;
  if (out.packet_id.value == 0)
    return ReasonCode::ProtocolError;  // v5 [MQTT-2.2.1-3], §1.2: it can be parsed
  if (version == Version::V5) {
    Properties properties;
    const ReasonCode reason = parse(in, PacketType::Unsubscribe, properties);
    if (reason != ReasonCode::Success) return reason;
    out.user_properties = std::move(properties.user_properties);
  }
  return read_filters(in, out.filters);
}

}  // namespace

Parsed<Unsubscribe> parse_unsubscribe(const Frame& frame, Version version) {
  if (!has_request_flags(frame, version)) return ParseError{ReasonCode::MalformedPacket};
  Reader in(frame.body);
  Unsubscribe unsubscribe;
  const ReasonCode reason = read_unsubscribe(in, version, unsubscribe);
  if (reason != ReasonCode::Success) return ParseError{reason};
  return unsubscribe;
}

void write(const Unsubscribe& unsubscribe, Version version, std::vector<std::byte>& bytes) {
  write_packet(PacketType::Unsubscribe, 0x02, bytes, [&](Writer& out) {
    out.u16(unsubscribe.packet_id.value);
    if (version == Version::V5) {
      Properties properties;
      properties.user_properties = unsubscribe.user_properties;
      write(properties, bytes);
    }
    for (const std::string_view filter : unsubscribe.filters) out.string(filter);
  });
}

}  // namespace wake::broker
