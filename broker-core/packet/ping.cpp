#include "broker-core/packet/ping.hpp"

#include "broker-core/packet/writer.hpp"

namespace wake::broker {

namespace {

bool is_bare(const Frame& frame) { return frame.flags() == 0 && frame.body.empty(); }

}  // namespace

Parsed<Pingreq> parse_pingreq(const Frame& frame) {
  if (!is_bare(frame)) return ParseError{ReasonCode::MalformedPacket};
  return Pingreq{};
}

Parsed<Pingresp> parse_pingresp(const Frame& frame) {
  if (!is_bare(frame)) return ParseError{ReasonCode::MalformedPacket};
  return Pingresp{};
}

void write(const Pingreq&, Version, std::vector<std::byte>& bytes) {
  write_packet(PacketType::Pingreq, 0, bytes, [](Writer&) {});
}

void write(const Pingresp&, Version, std::vector<std::byte>& bytes) {
  write_packet(PacketType::Pingresp, 0, bytes, [](Writer&) {});
}

}  // namespace wake::broker
