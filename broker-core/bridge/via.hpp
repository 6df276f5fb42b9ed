// How a message tells through which gateways' bridges it has passed: the user property `wake-via`, once for
// each. MQTT 5.0 only; what passes a 3.1.1 connection forgets it.
#pragma once

#include <algorithm>
#include <string_view>

#include "broker-core/packet/publish_properties.hpp"

namespace wake::broker {

inline constexpr std::string_view kViaProperty = "wake-via";

/// `mark` is a gateway's own name for this.
inline bool has_passed(const PublishProperties& properties, std::string_view mark) {
  return std::ranges::any_of(properties.user_properties, [&](const UserProperty& property) {
    return property.first == kViaProperty && property.second == mark;
  });
}

}  // namespace wake::broker
