// AUTH: v5 §3.15. 3.x has no such packet.
#pragma once

#include <vector>

#include "broker-core/packet/properties.hpp"

namespace wake::broker {

struct Auth {
  ReasonCode reason = ReasonCode::Success;  // Success, ContinueAuthentication, Reauthenticate
  Properties properties;                    // authentication method and data, reason string, user properties
};

/// In 3.x the type is reserved: MalformedPacket.
Parsed<Auth> parse_auth(const Frame& frame, Version version);

/// `version` is V5 (asserted).
void write(const Auth& auth, Version version, std::vector<std::byte>& out);

}  // namespace wake::broker
