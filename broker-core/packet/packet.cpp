#include "broker-core/packet/packet.hpp"

#include <utility>

namespace wake::broker {

namespace {

template <class T>
Parsed<Packet> widen(Parsed<T> parsed) {
  if (const auto* error = std::get_if<ParseError>(&parsed)) return *error;
  return Packet(std::get<T>(std::move(parsed)));
}

}  // namespace

Parsed<Packet> parse_frame(const Frame& frame, Version version) {
  switch (frame.type()) {
    case PacketType::Connect:
      return widen(parse_connect(frame));
    case PacketType::Connack:
      return widen(parse_connack(frame, version));
    case PacketType::Publish:
      return widen(parse_publish(frame, version));
    case PacketType::Puback:
    case PacketType::Pubrec:
    case PacketType::Pubrel:
    case PacketType::Pubcomp:
      return widen(parse_ack(frame, version));
    case PacketType::Subscribe:
      return widen(parse_subscribe(frame, version));
    case PacketType::Suback:
      return widen(parse_suback(frame, version));
    case PacketType::Unsubscribe:
      return widen(parse_unsubscribe(frame, version));
    case PacketType::Unsuback:
      return widen(parse_unsuback(frame, version));
    case PacketType::Pingreq:
      return widen(parse_pingreq(frame));
    case PacketType::Pingresp:
      return widen(parse_pingresp(frame));
    case PacketType::Disconnect:
      return widen(parse_disconnect(frame, version));
    case PacketType::Auth:
      return widen(parse_auth(frame, version));
  }
  return ParseError{ReasonCode::MalformedPacket};
}

ParseResult parse(Bytes& in, Version version, std::size_t max_packet_bytes) {
  Bytes left = in;
  const FrameResult cut = take_frame(left, max_packet_bytes);
  if (const auto* more = std::get_if<NeedMore>(&cut)) return *more;
  if (const auto* error = std::get_if<ParseError>(&cut)) return *error;
  Parsed<Packet> parsed = parse_frame(std::get<Frame>(cut), version);
  if (const auto* error = std::get_if<ParseError>(&parsed)) return *error;
  in = left;
  return std::get<Packet>(std::move(parsed));
}

void write(const Packet& packet, Version version, std::vector<std::byte>& out) {
  std::visit([&](const auto& each) { write(each, version, out); }, packet);
}

}  // namespace wake::broker
