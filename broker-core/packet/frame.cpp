#include "broker-core/packet/frame.hpp"

namespace wake::broker {

std::string_view to_string(PacketType type) {
  switch (type) {
    case PacketType::Connect:
      return "CONNECT";
    case PacketType::Connack:
      return "CONNACK";
    case PacketType::Publish:
      return "PUBLISH";
    case PacketType::Puback:
      return "PUBACK";
    case PacketType::Pubrec:
      return "PUBREC";
    case PacketType::Pubrel:
      return "PUBREL";
    case PacketType::Pubcomp:
      return "PUBCOMP";
    case PacketType::Subscribe:
      return "SUBSCRIBE";
    case PacketType::Suback:
      return "SUBACK";
    case PacketType::Unsubscribe:
      return "UNSUBSCRIBE";
    case PacketType::Unsuback:
      return "UNSUBACK";
    case PacketType::Pingreq:
      return "PINGREQ";
    case PacketType::Pingresp:
      return "PINGRESP";
    case PacketType::Disconnect:
      return "DISCONNECT";
    case PacketType::Auth:
      return "AUTH";
  }
  return "RESERVED";
}

FrameResult take_frame(Bytes& in, std::size_t max_packet_bytes) {
  if (in.empty()) return NeedMore{2};
  const auto header = std::to_integer<std::uint8_t>(in[0]);
  if (header >> 4 == 0) return ParseError{ReasonCode::MalformedPacket};

  std::size_t body_bytes = 0;
  std::size_t at = 1;
  for (bool is_last = false; !is_last; ++at) {
    if (at > 4) return ParseError{ReasonCode::MalformedPacket};  // v5 §1.5.5: a fifth byte
    if (at >= in.size()) return NeedMore{1};
    const auto byte = std::to_integer<std::size_t>(in[at]);
    body_bytes |= (byte & 0x7F) << (7 * (at - 1));
    is_last = (byte & 0x80) == 0;
  }

  const std::size_t packet_bytes = at + body_bytes;
  if (packet_bytes > max_packet_bytes) return ParseError{ReasonCode::PacketTooLarge};
  if (packet_bytes > in.size()) return NeedMore{packet_bytes - in.size()};
  const Frame frame{header, in.subspan(at, body_bytes)};
  in = in.subspan(packet_bytes);
  return frame;
}

}  // namespace wake::broker
