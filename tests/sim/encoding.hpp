// Small text codecs: base64url (RFC 4648 §5, no padding), application/x-www-form-urlencoded, hex, JSON lines
// of time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tests/sim/exchange.hpp"

namespace wake::sim {

std::string to_base64url(std::string_view bytes);
/// nullopt for any character outside the url-safe alphabet, '=' included: JWTs carry no padding (RFC 7515
/// §2).
std::optional<std::string> from_base64url(std::string_view text);

/// "%41" and "+" decoded; nullopt for a broken escape.
std::optional<std::string> from_percent(std::string_view text);
/// name=value&...; a repeated name keeps its last value. nullopt for a broken escape.
std::optional<std::map<std::string, std::string>> from_form(std::string_view text);

bool is_hex(std::string_view text);   // and not empty
bool is_uuid(std::string_view text);  // 8-4-4-4-12, either case
std::string random_uuid();            // version 4, lower case
std::string random_hex(std::size_t bytes);

/// "2026-11-21T13:35:07.123Z"
std::string iso_time(Time);
/// "Sat, 21 Nov 2026 13:35:07 GMT" (RFC 9110 §5.6.7)
std::string http_date(Time);

}  // namespace wake::sim
