// Wire order: 0xF0, [reason code, [properties]].
#include "broker-core/packet/auth.hpp"

#include <cassert>

#include "broker-core/packet/reasons.hpp"

namespace wake::broker {

Parsed<Auth> parse_auth(const Frame& frame, Version version) {
  if (version != Version::V5 || frame.flags() != 0) return ParseError{ReasonCode::MalformedPacket};
  Reader in(frame.body);
  Auth auth;
  const ReasonCode reason = read_optional_reason(in, PacketType::Auth, auth.reason, auth.properties);
  if (reason != ReasonCode::Success) return ParseError{reason};
  return auth;
}

void write(const Auth& auth, [[maybe_unused]] Version version, std::vector<std::byte>& bytes) {
  assert(version == Version::V5);
  write_packet(PacketType::Auth, 0, bytes,
               [&](Writer&) { write_optional_reason(auth.reason, auth.properties, bytes); });
}

}  // namespace wake::broker
