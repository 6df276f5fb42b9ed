// One written value on its way to a field, and the ways of writing that this product knows: durations as
// "10s", sizes as "1MiB". Pure; not here: which key takes which (keys.cpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wake::config {

/// From the environment or a secret's file: characters without a type, so "true" may be a boolean.
struct Bare {
  std::string text;
};
/// A TOML value that no key takes: "a list of tables", "a date".
struct Unusable {
  std::string kind;
};
using TextList = std::vector<std::string>;
using Value = std::variant<Unusable, bool, std::int64_t, std::string, Bare, TextList>;

/// For messages: `"text"` quoted, `12`, `true`, `a list`.
std::string describe(const Value& value);

/// Each is empty when the value is not that.
std::optional<bool> as_bool(const Value& value);
std::optional<std::int64_t> as_integer(const Value& value);
std::optional<std::string> as_text(const Value& value);
/// A list of texts; in the environment separated by semicolons. Blanks around each are taken off.
std::optional<TextList> as_text_list(const Value& value);
/// A whole number and one of ms, s, m, h, d; "0" needs no unit. Negative, fractional or beyond 100 years:
/// empty.
std::optional<std::chrono::milliseconds> as_duration(const Value& value);
/// A whole number of bytes, or text: a whole number and B, KiB, MiB or GiB. Beyond 2^53: empty.
std::optional<std::int64_t> as_size(const Value& value);

/// In the largest unit that divides it: "10s", "7d", "0s".
std::string duration_text(std::chrono::milliseconds duration);
/// "1MiB", "1000B".
std::string size_text(std::int64_t bytes);
/// A TOML basic string, quoted and escaped.
std::string quoted_toml(std::string_view text);
/// ["a", "b"]
std::string list_toml(const TextList& list);

}  // namespace wake::config
