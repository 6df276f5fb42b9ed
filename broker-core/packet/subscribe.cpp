// Wire order: 0x82, packet id, [v5: properties], then for each filter: filter, options.
//   options: retain_handling<<4 | retain_as_published<<3 | no_local<<2 | qos     (3.x: qos only)
#include "broker-core/packet/subscribe.hpp"

#include "broker-core/packet/flags.hpp"

namespace wake::broker {

namespace {

/// v5 §3.8.3.1: reserved bits are malformed [MQTT-3.8.3-5], the value 3 is a protocol error. 3.x: v3.1.1
/// [MQTT-3.8.3-4].
ReasonCode read_options(std::uint8_t options, Version version, SubscribeRequest& out) {
  const unsigned reserved = version == Version::V5 ? 0xC0 : 0xFC;
  if (version != Version::V31 && (options & reserved) != 0) return ReasonCode::MalformedPacket;
  const unsigned qos = options & 0x03;
  if (qos == 3) return version == Version::V5 ? ReasonCode::ProtocolError : ReasonCode::MalformedPacket;
  out.qos = static_cast<Qos>(qos);
  if (version != Version::V5) return ReasonCode::Success;
  out.no_local = (options & 0x04) != 0;
  out.retain_as_published = (options & 0x08) != 0;
  out.retain_handling = options >> 4 & 0x03;
  return out.retain_handling == 3 ? ReasonCode::ProtocolError : ReasonCode::Success;
}

ReasonCode read_requests(Reader& in, Version version, std::vector<SubscribeRequest>& out) {
  while (!in.is_empty()) {
    if (out.size() >= kMaxFiltersPerPacket) return ReasonCode::QuotaExceeded;
    SubscribeRequest request;
    std::uint8_t options = 0;
    if (!in.string(request.filter) || !in.u8(options)) return ReasonCode::MalformedPacket;
    const ReasonCode reason = read_options(options, version, request);
    if (reason != ReasonCode::Success) return reason;
    out.push_back(request);
  }
  return out.empty() ? ReasonCode::ProtocolError : ReasonCode::Success;  // v5 [MQTT-3.8.3-2]
}

ReasonCode read_subscribe(Reader& in, Version version, Subscribe& out) {
  if (!in.u16(out.packet_id.value)) return ReasonCode::MalformedPacket;
  if (out.packet_id.value == 0)
    return ReasonCode::ProtocolError;  // v5 [MQTT-2.2.1-3], §1.2: it can be parsed
  if (version == Version::V5) {
    Properties properties;
    const ReasonCode reason = parse(in, PacketType::Subscribe, properties);
    if (reason != ReasonCode::Success) return reason;
    out.subscription_id = properties.subscription_id.value_or(0);
    out.user_properties = std::move(properties.user_properties);
  }
  return read_requests(in, version, out.requests);
}

std::uint8_t options_of(const SubscribeRequest& request, Version version) {
  const auto qos = static_cast<unsigned>(request.qos);
  if (version != Version::V5) return static_cast<std::uint8_t>(qos);
  return static_cast<std::uint8_t>(request.retain_handling << 4 | (request.retain_as_published ? 0x08 : 0) |
                                   (request.no_local ? 0x04 : 0) | qos);
}

void write_properties(const Subscribe& subscribe, std::vector<std::byte>& bytes) {
  Properties properties;
  if (subscribe.subscription_id != 0) properties.subscription_id = subscribe.subscription_id;
  properties.user_properties = subscribe.user_properties;
  write(properties, bytes);
}

}  // namespace

Parsed<Subscribe> parse_subscribe(const Frame& frame, Version version) {
  if (!has_request_flags(frame, version)) return ParseError{ReasonCode::MalformedPacket};
  Reader in(frame.body);
  Subscribe subscribe;
  const ReasonCode reason = read_subscribe(in, version, subscribe);
  if (reason != ReasonCode::Success) return ParseError{reason};
  return subscribe;
}

void write(const Subscribe& subscribe, Version version, std::vector<std::byte>& bytes) {
  write_packet(PacketType::Subscribe, 0x02, bytes, [&](Writer& out) {
    out.u16(subscribe.packet_id.value);
    if (version == Version::V5) write_properties(subscribe, bytes);
    for (const SubscribeRequest& request : subscribe.requests) {
      out.string(request.filter);
      out.u8(options_of(request, version));
    }
  });
}

}  // namespace wake::broker
