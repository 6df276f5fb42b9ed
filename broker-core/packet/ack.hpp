// PUBACK, PUBREC, PUBREL, PUBCOMP: v5 §3.4 to §3.7, v3.1.1 §3.4 to §3.7. They differ in type, flags and
// allowed reasons only.
#pragma once

#include <string_view>
#include <vector>

#include "broker-core/packet/properties.hpp"

namespace wake::broker {

struct Ack {
  PacketType type = PacketType::Puback;  // Puback, Pubrec, Pubrel or Pubcomp
  PacketId packet_id;
  ReasonCode reason = ReasonCode::Success;    // v5
  std::string_view reason_string;             // v5; empty: absent
  std::vector<UserProperty> user_properties;  // v5
};

Parsed<Ack> parse_ack(const Frame& frame, Version version);

/// 4 bytes where v5 allows it (Success, no properties) and always in 3.x, which has no way to say a reason.
void write(const Ack& ack, Version version, std::vector<std::byte>& out);

}  // namespace wake::broker
