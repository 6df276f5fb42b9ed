// SUBSCRIBE: v5 §3.8, v3.1.1 §3.8, v3.1 §3.8.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "broker-core/packet/properties.hpp"

namespace wake::broker {

/// Filters in one SUBSCRIBE or UNSUBSCRIBE; more is QuotaExceeded. Bounds what three bytes on the wire can
/// make us allocate.
inline constexpr std::size_t kMaxFiltersPerPacket = 10'000;

/// One filter with its options (v5 §3.8.3.1). The filter is UTF-8, not yet checked: is_valid_topic_filter is
/// the machine's call, because a bad one is answered in SUBACK and its neighbours stand.
struct SubscribeRequest {
  std::string_view filter;  // with $share/… in front where shared
  Qos qos = Qos::AtMostOnce;
  bool no_local = false;
  bool retain_as_published = false;
  std::uint8_t retain_handling = 0;  // 0 send, 1 send if new, 2 do not
};

struct Subscribe {
  PacketId packet_id;
  std::vector<SubscribeRequest> requests;  // one or more: v5 [MQTT-3.8.3-2]
  std::uint32_t subscription_id = 0;       // v5; 0: none
  std::vector<UserProperty> user_properties;
};

Parsed<Subscribe> parse_subscribe(const Frame& frame, Version version);
void write(const Subscribe& subscribe, Version version, std::vector<std::byte>& out);

}  // namespace wake::broker
