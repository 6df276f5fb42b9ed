#include "db/push_policy_json.hpp"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <optional>

#include <nlohmann/json.hpp>

namespace wake::db {
namespace {

using broker::PushMode;
using broker::PushPolicy;
using broker::PushStyle;
using broker::QuietHours;
using nlohmann::json;

constexpr std::size_t kMaxTemplateBytes = 1024;
constexpr std::size_t kMaxSoundBytes = 100;
constexpr std::int64_t kMaxTtlS = 28 * 24 * 3600;
constexpr std::int64_t kMaxMinIntervalS = 7 * 24 * 3600;

/// What is wrong with a key's value, if anything: what was expected instead.
using Fault = std::optional<PolicyError>;

Fault expected(std::string_view field, std::string what) {
  return PolicyError{"push." + std::string(field), std::move(what)};
}

Fault read_text(const json& value, std::string_view field, std::size_t max_bytes, std::string& out) {
  const auto* text = value.get_ptr<const std::string*>();
  if (text == nullptr || text->size() > max_bytes || text->find('\0') != std::string::npos) {
    return expected(field, "a string of at most " + std::to_string(max_bytes) + " bytes");
  }
  out = *text;
  return std::nullopt;
}

Fault read_seconds(const json& value, std::string_view field, std::int64_t max, std::int64_t& out) {
  const bool is_small =
      value.is_number_unsigned() && value.get<std::uint64_t>() <= static_cast<std::uint64_t>(max);
  if (!is_small) return expected(field, "whole seconds, 0 to " + std::to_string(max));
  out = value.get<std::int64_t>();
  return std::nullopt;
}

/// One of a few words.
template <class Value>
Fault read_word(const json& value, std::string_view field,
                std::initializer_list<std::pair<const char*, Value>> words, Value& out) {
  std::string all;
  for (const auto& [word, meaning] : words) {
    if (value == word) {
      out = meaning;
      return std::nullopt;
    }
    all += (all.empty() ? "\"" : " | \"") + std::string(word) + "\"";
  }
  return expected(field, all);
}

Fault read_minute(const json& value, std::string_view field, int& out) {
  const auto* text = value.get_ptr<const std::string*>();
  const auto is_digit = [&](std::size_t i) { return (*text)[i] >= '0' && (*text)[i] <= '9'; };
  const bool has_form = text != nullptr && text->size() == 5 && (*text)[2] == ':' && is_digit(0) &&
                        is_digit(1) && is_digit(3) && is_digit(4);
  const int hour = has_form ? std::stoi(text->substr(0, 2)) : 24;
  const int minute = has_form ? std::stoi(text->substr(3)) : 60;
  if (hour > 23 || minute > 59) return expected(field, "\"HH:MM\", 00:00 to 23:59");
  out = hour * 60 + minute;
  return std::nullopt;
}

/// Only the form: which zones exist is known where they are used.
Fault read_zone(const json& value, std::string& out) {
  const auto* text = value.get_ptr<const std::string*>();
  const auto is_allowed = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '+' || c == '-' || c == '/';
  };
  if (text == nullptr || text->empty() || text->size() > 64 ||
      !std::all_of(text->begin(), text->end(), is_allowed)) {
    return expected("quiet_hours.tz", "an IANA time zone like \"Europe/Berlin\"");
  }
  out = *text;
  return std::nullopt;
}

Fault read_quiet_hours(const json& value, std::optional<QuietHours>& out) {
  out.reset();
  if (value.is_null()) return std::nullopt;
  if (!value.is_object()) return expected("quiet_hours", "{\"start\":…,\"end\":…,\"tz\":…} or null");
  QuietHours hours;
  for (const auto& [key, part] : value.items()) {
    Fault fault;
    if (key == "start") {
      fault = read_minute(part, "quiet_hours.start", hours.start_minute);
    } else if (key == "end") {
      fault = read_minute(part, "quiet_hours.end", hours.end_minute);
    } else if (key == "tz") {
      fault = read_zone(part, hours.time_zone);
    } else {
      fault = expected("quiet_hours." + key, "no such key");
    }
    if (fault) return fault;
  }
  for (const char* key : {"start", "end", "tz"}) {
    if (!value.contains(key)) return expected("quiet_hours." + std::string(key), "to be there");
  }
  out = hours;
  return std::nullopt;
}

Fault read_ttl(const json& value, std::optional<std::int64_t>& out) {
  out.reset();
  if (value.is_null()) return std::nullopt;
  return read_seconds(value, "ttl", kMaxTtlS, out.emplace());
}

using Reader = std::function<Fault(const json&, PushPolicy&)>;

const std::map<std::string, Reader, std::less<>>& readers() {
  static const std::map<std::string, Reader, std::less<>> all = {
      {"mode",
       [](const json& value, PushPolicy& policy) {
         return read_word<PushMode>(
             value, "mode",
             {{"fallback", PushMode::Fallback}, {"always", PushMode::Always}, {"never", PushMode::Never}},
             policy.mode);
       }},
      {"style",
       [](const json& value, PushPolicy& policy) {
         return read_word<PushStyle>(
             value, "style", {{"alert", PushStyle::Alert}, {"silent", PushStyle::Silent}}, policy.style);
       }},
      {"title",
       [](const json& value, PushPolicy& policy) {
         return read_text(value, "title", kMaxTemplateBytes, policy.title);
       }},
      {"body", [](const json& value,
                  PushPolicy& policy) { return read_text(value, "body", kMaxTemplateBytes, policy.body); }},
      {"sound", [](const json& value,
                   PushPolicy& policy) { return read_text(value, "sound", kMaxSoundBytes, policy.sound); }},
      {"priority",
       [](const json& value, PushPolicy& policy) {
         return read_word<bool>(value, "priority", {{"high", true}, {"normal", false}},
                                policy.is_high_priority);
       }},
      {"ttl", [](const json& value, PushPolicy& policy) { return read_ttl(value, policy.ttl_s); }},
      {"collapse",
       [](const json& value, PushPolicy& policy) {
         return read_text(value, "collapse", kMaxTemplateBytes, policy.collapse);
       }},
      {"quiet_hours",
       [](const json& value, PushPolicy& policy) { return read_quiet_hours(value, policy.quiet_hours); }},
      {"min_interval",
       [](const json& value, PushPolicy& policy) {
         return read_seconds(value, "min_interval", kMaxMinIntervalS, policy.min_interval_s);
       }},
      {"android",
       [](const json& value, PushPolicy& policy) {
         return read_word<bool>(value, "android", {{"data", false}, {"notification", true}},
                                policy.is_android_notification);
       }},
  };
  return all;
}

std::string clock_text(int minute) {
  char text[32];
  std::snprintf(text, sizeof text, "%02d:%02d", minute / 60, minute % 60);
  return text;
}

const char* word(PushMode mode) {
  switch (mode) {
    case PushMode::Always:
      return "always";
    case PushMode::Never:
      return "never";
    case PushMode::Fallback:
      break;
  }
  return "fallback";
}

json whole(const PushPolicy& policy) {
  json quiet_hours;
  if (policy.quiet_hours) {
    quiet_hours = {{"start", clock_text(policy.quiet_hours->start_minute)},
                   {"end", clock_text(policy.quiet_hours->end_minute)},
                   {"tz", policy.quiet_hours->time_zone}};
  }
  return {{"mode", word(policy.mode)},
          {"style", policy.style == PushStyle::Silent ? "silent" : "alert"},
          {"title", policy.title},
          {"body", policy.body},
          {"sound", policy.sound},
          {"priority", policy.is_high_priority ? "high" : "normal"},
          {"ttl", policy.ttl_s ? json(*policy.ttl_s) : json()},
          {"collapse", policy.collapse},
          {"quiet_hours", quiet_hours},
          {"min_interval", policy.min_interval_s},
          {"android", policy.is_android_notification ? "notification" : "data"}};
}

}  // namespace

std::variant<PushPolicy, PolicyError> from_json_text(std::string_view text, const PushPolicy& base) {
  PushPolicy policy = base;
  if (text == "{}") return policy;  // most entries
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return PolicyError{"push", "a JSON object"};
  for (const auto& [key, value] : object.items()) {
    const auto reader = readers().find(key);
    if (reader == readers().end()) return PolicyError{"push." + key, "no such key"};
    if (const Fault fault = reader->second(value, policy)) return *fault;
  }
  return policy;
}

std::string to_json_text(const PushPolicy& policy, PolicyShape shape) {
  json object = whole(policy);
  if (shape == PolicyShape::Changes) {
    const json defaults = whole({});
    for (const auto& [key, value] : defaults.items()) {
      if (object[key] == value) object.erase(key);
    }
  }
  return object.dump();
}

}  // namespace wake::db
