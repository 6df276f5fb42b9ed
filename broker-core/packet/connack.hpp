// CONNACK: v5 §3.2, v3.1.1 §3.2, v3.1 §3.2.
#pragma once

#include <vector>

#include "broker-core/packet/properties.hpp"

namespace wake::broker {

struct Connack {
  bool session_present = false;  // not on the wire in v3.1
  ReasonCode reason = ReasonCode::Success;
  Properties properties;  // v5
};

Parsed<Connack> parse_connack(const Frame& frame, Version version);

/// 3.x: the reason becomes a return code 0..5 (connack_return_code_v3). session_present is written for
/// Success only: v5 [MQTT-3.2.2-6].
void write(const Connack& connack, Version version, std::vector<std::byte>& out);

}  // namespace wake::broker
