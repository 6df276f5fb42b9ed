// Which reason codes may stand in which packet (v5 table 2-6), and the tail "reason code, properties" that
// many packets share. Used by the packets' own .cpp files only.
#pragma once

#include <string_view>
#include <vector>

#include "broker-core/packet/properties.hpp"

namespace wake::broker {

bool is_reason_allowed(ReasonCode reason, PacketType packet);

/// Reads one reason code that is allowed in `packet`; MalformedPacket otherwise.
ReasonCode read_reason(Reader& in, PacketType packet, ReasonCode& out);

/// Reads "[reason code, [properties]]" to the end of the packet, where both may be left out (v5 §3.4.2.1,
/// §3.14.2.1, §3.15.2.1): absent is Success without properties.
ReasonCode read_optional_reason(Reader& in, PacketType packet, ReasonCode& reason, Properties& properties);

/// Writes the same, as short as allowed.
void write_optional_reason(ReasonCode reason, const Properties& properties, std::vector<std::byte>& bytes);

/// The two properties that every acknowledgement may have. An empty reason string is left out.
Properties reason_properties(std::string_view reason_string,
                             const std::vector<UserProperty>& user_properties);

}  // namespace wake::broker
