// All packets as one value. Both directions are parsed; refusing what only a server sends is the machine's
// part. A connection that cares for speed calls take_frame itself and goes straight to parse_publish.
#pragma once

#include <variant>

#include "broker-core/packet/ack.hpp"
#include "broker-core/packet/auth.hpp"
#include "broker-core/packet/connack.hpp"
#include "broker-core/packet/connect.hpp"
#include "broker-core/packet/disconnect.hpp"
#include "broker-core/packet/frame.hpp"
#include "broker-core/packet/ping.hpp"
#include "broker-core/packet/publish.hpp"
#include "broker-core/packet/suback.hpp"
#include "broker-core/packet/subscribe.hpp"
#include "broker-core/packet/unsuback.hpp"
#include "broker-core/packet/unsubscribe.hpp"

namespace wake::broker {

/// Views into the read buffer: valid until it moves.
using Packet = std::variant<Connect, Connack, Publish, Ack, Subscribe, Suback, Unsubscribe, Unsuback, Pingreq,
                            Pingresp, Disconnect, Auth>;

using ParseResult = std::variant<Packet, NeedMore, ParseError>;

/// Takes one whole packet off the front of `in`, or says how much is missing.
///   in                bytes as received, any split; shrunk by the packet on success, untouched otherwise
///   version           of the connection; CONNECT says its own, so V311 does until then
///   max_packet_bytes  checked on the fixed header, before the body is waited for
///   returns  Packet | NeedMore{bytes >= 1} | ParseError{reason}
///   spec     v5 §2.1, §4.13; v3.1.1 §2.2, §4.8.  Thread: any, no shared state.
ParseResult parse(Bytes& in, Version version, std::size_t max_packet_bytes);

/// The second half of it, for a frame already taken.
Parsed<Packet> parse_frame(const Frame& frame, Version version);

/// Appends the packet as `version` writes it.
void write(const Packet& packet, Version version, std::vector<std::byte>& out);

}  // namespace wake::broker
