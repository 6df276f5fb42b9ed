// UNSUBACK: v5 §3.11, v3.1.1 §3.11, v3.1 §3.11.
#pragma once

#include <string_view>
#include <vector>

#include "broker-core/packet/properties.hpp"

namespace wake::broker {

struct Unsuback {
  PacketId packet_id;
  std::vector<ReasonCode> reasons;  // v5: one per filter, in its order; not on the wire in 3.x
  std::string_view reason_string;   // v5; empty: absent
  std::vector<UserProperty> user_properties;
};

Parsed<Unsuback> parse_unsuback(const Frame& frame, Version version);
void write(const Unsuback& unsuback, Version version, std::vector<std::byte>& out);

}  // namespace wake::broker
