// The fixed header: type, flags, remaining length. Cutting a byte stream into frames without looking inside
// them.
//   byte 1: type << 4 | flags      then: remaining length, 1 to 4 bytes of 7 bits, least significant first
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>

#include "broker-core/packet/reason_code.hpp"
#include "broker-core/types.hpp"

namespace wake::broker {

/// v5 §2.1.2. AUTH exists in v5 only.
enum class PacketType : std::uint8_t {
  Connect = 1,
  Connack = 2,
  Publish = 3,
  Puback = 4,
  Pubrec = 5,
  Pubrel = 6,
  Pubcomp = 7,
  Subscribe = 8,
  Suback = 9,
  Unsubscribe = 10,
  Unsuback = 11,
  Pingreq = 12,
  Pingresp = 13,
  Disconnect = 14,
  Auth = 15,
};

/// "PUBLISH"; as the specification writes it.
std::string_view to_string(PacketType type);
inline std::ostream& operator<<(std::ostream& out, PacketType type) { return out << to_string(type); }

/// Not a whole packet yet: at least `bytes` (>= 1) more are missing.
struct NeedMore {
  std::size_t bytes = 1;
  friend bool operator==(NeedMore, NeedMore) = default;
};

/// The peer broke the protocol; `reason` is what a v5 CONNACK or DISCONNECT says before the connection
/// closes.
struct ParseError {
  ReasonCode reason = ReasonCode::MalformedPacket;
  friend bool operator==(ParseError, ParseError) = default;
};

/// What the parse function of one packet returns.
template <class T>
using Parsed = std::variant<T, ParseError>;

/// One whole packet, cut but not understood. `body` is what follows the remaining length; a view into the
/// input.
struct Frame {
  std::uint8_t header = 0;
  Bytes body;

  PacketType type() const { return static_cast<PacketType>(header >> 4); }
  std::uint8_t flags() const { return header & 0x0F; }
};

using FrameResult = std::variant<Frame, NeedMore, ParseError>;

/// Takes one frame off the front of `in`.
///   in                bytes as received; shrunk by the frame on success, untouched otherwise
///   max_packet_bytes  whole packet, fixed header included; checked before the body is waited for
///   returns  Frame | NeedMore | ParseError{MalformedPacket, PacketTooLarge}. Type 0 is malformed at once.
///   spec     v5 §2.1; v3.1.1 §2.2; v3.1 §2.1.  A remaining length in more bytes than needed is accepted:
///            old embedded clients reserve four for it, and 3.x does not forbid it.
FrameResult take_frame(Bytes& in, std::size_t max_packet_bytes);

}  // namespace wake::broker
