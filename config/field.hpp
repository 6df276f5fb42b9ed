// The types that a key may have, and the binding of a key to a member of one of the option structs. Only
// the files of keys include this: everybody else sees the finished table.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/config.hpp"
#include "config/value.hpp"

namespace wake::config {

/// How one key is read into a Config and printed from it. `index` counts the elements of an array section
/// from 0.
struct Field {
  std::string expected;  // "a size from 1KiB to 256MiB"
  std::function<bool(Config& config, std::size_t index, const Value& value)>
      read;                                                                   // false: not what was expected
  std::function<std::string(const Config& config, std::size_t index)> print;  // a TOML literal
};

/// The struct of a section, by its type.
template <class Section, class AnyConfig>
auto& section(AnyConfig& config, std::size_t index) {
  if constexpr (std::is_same_v<Section, db::DatabaseOptions>) return config.database;
  if constexpr (std::is_same_v<Section, AuthOptions>) return config.auth;
  if constexpr (std::is_same_v<Section, broker::DeliveryOptions>) return config.delivery;
  if constexpr (std::is_same_v<Section, broker::Limits>) return config.limits;
  if constexpr (std::is_same_v<Section, RequestLimits>) return config.request_limits;
  if constexpr (std::is_same_v<Section, ServerOptions>) return config.server;
  if constexpr (std::is_same_v<Section, ClusterOptions>) return config.cluster;
  if constexpr (std::is_same_v<Section, LogOptions>) return config.log;
  if constexpr (std::is_same_v<Section, ListenerOptions>) return config.listeners.at(index);
  if constexpr (std::is_same_v<Section, push::AppOptions>) return config.push_apps.at(index);
  if constexpr (std::is_same_v<Section, BridgeOptions>) return config.bridges.at(index);
}

struct Flag {
  std::string expected() const { return "true or false"; }
  std::optional<bool> parse(const Value& value) const { return as_bool(value); }
  std::string print(bool flag) const { return flag ? "true" : "false"; }
};

struct Text {
  std::string what;  // "a libpq connection string"
  std::string expected() const { return what; }
  std::optional<std::string> parse(const Value& value) const { return as_text(value); }
  std::string print(const std::string& text) const { return quoted_toml(text); }
};

struct List {
  std::string what;  // "a list of origins"
  std::string expected() const { return what; }
  std::optional<TextList> parse(const Value& value) const { return as_text_list(value); }
  std::string print(const TextList& list) const { return list_toml(list); }
};

struct Integer {
  std::int64_t min;
  std::int64_t max;
  std::string expected() const {
    return "a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  }
  std::optional<std::int64_t> parse(const Value& value) const {
    const auto number = as_integer(value);
    return number && *number >= min && *number <= max ? number : std::nullopt;
  }
  std::string print(std::int64_t number) const { return std::to_string(number); }
};

/// Bounds in bytes, both allowed.
struct Size {
  std::int64_t min;
  std::int64_t max;
  std::string expected() const {
    return "a size from " + size_text(min) + " to " + size_text(max) + ", as \"1MiB\"";
  }
  std::optional<std::int64_t> parse(const Value& value) const {
    const auto bytes = as_size(value);
    return bytes && *bytes >= min && *bytes <= max ? bytes : std::nullopt;
  }
  std::string print(std::size_t bytes) const {
    return quoted_toml(size_text(static_cast<std::int64_t>(bytes)));
  }
};

/// `Unit` is the member's own: a finer duration than it can hold is refused, not rounded.
template <class Unit>
struct Span {
  Unit min;
  Unit max;
  std::string expected() const {
    return "a duration from " + duration_text(min) + " to " + duration_text(max) +
           ", as \"10s\" (ms, s, m, h, d)";
  }
  std::optional<Unit> parse(const Value& value) const {
    const auto duration = as_duration(value);
    if (!duration || *duration < min || *duration > max) return std::nullopt;
    const auto whole = std::chrono::duration_cast<Unit>(*duration);
    return whole == *duration ? std::optional(whole) : std::nullopt;
  }
  std::string print(Unit duration) const { return quoted_toml(duration_text(duration)); }
};

/// One of a few words.
template <class Enum>
struct Choice {
  std::vector<std::pair<std::string_view, Enum>> words;
  std::string expected() const {
    std::string list;
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (i > 0) list += i + 1 == words.size() ? " or " : ", ";
      list += quoted_toml(words[i].first);
    }
    return list;
  }
  std::optional<Enum> parse(const Value& value) const {
    const auto text = as_text(value);
    for (const auto& [word, meaning] : words) {
      if (text && *text == word) return meaning;
    }
    return std::nullopt;
  }
  std::string print(Enum chosen) const {
    for (const auto& [word, meaning] : words) {
      if (meaning == chosen) return quoted_toml(word);
    }
    return quoted_toml("");
  }
};

inline const Text kFile{"the path of a file"};
inline const Flag kFlag;

template <class Section, class Member, class Type>
Field field(Member Section::*member, Type type) {
  return {.expected = type.expected(),
          .read =
              [member, type](Config& config, std::size_t index, const Value& value) {
                const auto parsed = type.parse(value);
                if (parsed) section<Section>(config, index).*member = static_cast<Member>(*parsed);
                return parsed.has_value();
              },
          .print = [member, type](
                       const Config& config,
                       std::size_t index) { return type.print(section<Section>(config, index).*member); }};
}

}  // namespace wake::config
