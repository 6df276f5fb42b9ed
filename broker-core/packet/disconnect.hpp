// DISCONNECT: v5 §3.14, v3.1.1 §3.14.
#pragma once

#include <vector>

#include "broker-core/packet/properties.hpp"

namespace wake::broker {

struct Disconnect {
  ReasonCode reason = ReasonCode::NormalDisconnection;
  Properties properties;  // v5: session expiry, reason string, user properties, server reference
};

Parsed<Disconnect> parse_disconnect(const Frame& frame, Version version);

/// 3.x: two bytes, whatever the reason; a 3.x server sends none at all and just closes.
void write(const Disconnect& disconnect, Version version, std::vector<std::byte>& out);

}  // namespace wake::broker
