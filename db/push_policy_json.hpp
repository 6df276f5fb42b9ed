// An entry's push policy as JSON: the object `push` of contract §7 and §10, as REST shows it and
// topic_entries.push keeps it. Keys: mode, style, title, body, sound, priority, ttl, collapse,
// quiet_hours{start,end,tz}, min_interval, android.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "broker-core/delivery/records.hpp"

namespace wake::db {

struct PolicyError {
  std::string field;     // "push.quiet_hours.start"; "push" when it is no object at all
  std::string expected;  // "\"HH:MM\", 00:00 to 23:59"
};

/// Reads a policy. Keys that are absent keep what `base` has (a PATCH gives the entry's present policy,
/// everybody else the defaults); ttl and quiet_hours may be null: none. An unknown key is an error. Limits:
/// title, body, collapse 1024 bytes; sound 100; ttl 0..2419200 s (28 days, FCM's maximum); min_interval
/// 0..604800 s.
std::variant<broker::PushPolicy, PolicyError> from_json_text(std::string_view text,
                                                             const broker::PushPolicy& base = {});

enum class PolicyShape {
  Whole,    // every key, as REST answers
  Changes,  // only what differs from the defaults, as the table keeps it
};
std::string to_json_text(const broker::PushPolicy& policy, PolicyShape shape = PolicyShape::Whole);

}  // namespace wake::db
