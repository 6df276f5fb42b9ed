// The reserved flags of SUBSCRIBE, UNSUBSCRIBE and PUBREL. Used by the packets' own .cpp files only.
#pragma once

#include "broker-core/packet/frame.hpp"

namespace wake::broker {

/// 0b0010 in v5 and v3.1.1 (v5 [MQTT-2.1.3-1], [MQTT-3.6.1-1], [MQTT-3.8.1-1], [MQTT-3.10.1-1]). v3.1 §2.1
/// sends them with QoS 1, and with dup when repeated.
inline bool has_request_flags(const Frame& frame, Version version) {
  const unsigned ignored = version == Version::V31 ? 0x08 : 0;
  return (frame.flags() & ~ignored) == 0x02;
}

}  // namespace wake::broker
