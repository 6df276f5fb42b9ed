// SUBACK: v5 §3.9, v3.1.1 §3.9, v3.1 §3.9.
#pragma once

#include <string_view>
#include <vector>

#include "broker-core/packet/properties.hpp"

namespace wake::broker {

struct Suback {
  PacketId packet_id;
  std::vector<ReasonCode> reasons;  // one per filter, in its order: GrantedQos0..2 or a failure
  std::string_view reason_string;   // v5; empty: absent
  std::vector<UserProperty> user_properties;
};

Parsed<Suback> parse_suback(const Frame& frame, Version version);

/// 3.x: every failure is 0x80 (v3.1 has no word for it; Mosquitto sends 0x80 there too).
void write(const Suback& suback, Version version, std::vector<std::byte>& out);

}  // namespace wake::broker
