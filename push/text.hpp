// Bytes to text and text to JSON, appended to a string: the hot half of rendering. Everything here is total:
// whatever the bytes, the output is valid UTF-8. Thread: any, no shared state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "broker-core/types.hpp"

namespace wake::push {

/// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_valid_utf8(std::string_view bytes);

/// The longest front of `bytes` whose JSON form takes at most `max_json_bytes`, cut between characters, with
/// "…" when something was cut. A malformed byte becomes U+FFFD.
std::string fit_text(std::string_view bytes, std::size_t max_json_bytes);

/// Bytes that `bytes` takes inside a JSON string, quotes not included.
std::size_t json_size(std::string_view bytes);

/// Appends `"…"` with RFC 8259 §7 escapes. A malformed byte becomes U+FFFD.
void append_json_string(std::string& out, std::string_view bytes);

void append_number(std::string& out, std::int64_t number);
/// RFC 3339 in UTC with milliseconds: 2026-11-21T13:34:31.000Z. Years outside 0..9999 are clamped.
void append_time(std::string& out, broker::UtcTime time);
/// RFC 4648 §4, padded.
void append_base64(std::string& out, std::string_view bytes);
/// RFC 4648 §5, unpadded, as JWT wants it.
void append_base64url(std::string& out, std::string_view bytes);
/// Lower-case hexadecimal.
void append_hex(std::string& out, std::string_view bytes);

}  // namespace wake::push
