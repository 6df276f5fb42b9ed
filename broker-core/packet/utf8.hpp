// MQTT's UTF-8 strings: v5 §1.5.4, v3.1.1 §1.5.3.
#pragma once

#include <string_view>

namespace wake::broker {

/// True when `text` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF) and
/// holds no U+0000: v5 [MQTT-1.5.4-1], [MQTT-1.5.4-2]; nor a noncharacter, over which libmosquitto closes its
/// connection, again and again for a message that waits for it. Other control characters pass: a wake-body
/// may have lines.
bool is_valid_utf8(std::string_view text);

}  // namespace wake::broker
