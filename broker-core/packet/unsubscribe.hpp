// UNSUBSCRIBE: v5 §3.10, v3.1.1 §3.10, v3.1 §3.10.
#pragma once

#include <string_view>
#include <vector>

#include "broker-core/packet/properties.hpp"

namespace wake::broker {

struct Unsubscribe {
  PacketId packet_id;
  std::vector<std::string_view>
      filters;  // one or more: v5 [MQTT-3.10.3-2]; at most kMaxFiltersPerPacket; UTF-8, not yet checked
  std::vector<UserProperty> user_properties;
};

Parsed<Unsubscribe> parse_unsubscribe(const Frame& frame, Version version);
void write(const Unsubscribe& unsubscribe, Version version, std::vector<std::byte>& out);

}  // namespace wake::broker
