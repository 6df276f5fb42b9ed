// From columns as named queries select them to values. For .cpp files that already include libpqxx.
#pragma once

#include <cstdlib>
#include <string>

#include <pqxx/binarystring>
#include <pqxx/field>

#include "broker-core/types.hpp"

namespace wake::db {

/// A time selected as (extract(epoch FROM t) * 1000000)::bigint; NULL is kNever.
inline broker::UtcTime as_time(const pqxx::field& field) {
  if (field.is_null()) return broker::kNever;
  return broker::UtcTime(std::chrono::microseconds(std::strtoll(field.c_str(), nullptr, 10)));
}
inline std::string as_bytea(const pqxx::field& field) { return pqxx::binarystring(field).str(); }
inline std::int64_t as_integer(const pqxx::field& field) { return std::strtoll(field.c_str(), nullptr, 10); }
inline bool as_bool(const pqxx::field& field) { return field.c_str()[0] == 't'; }
inline std::string as_string(const pqxx::field& field) { return std::string(field.c_str(), field.size()); }
inline broker::Qos as_qos(const pqxx::field& field) { return static_cast<broker::Qos>(as_integer(field)); }

/// For a timestamptz parameter: microseconds are exact in this form.
std::string to_timestamp(broker::UtcTime time);

}  // namespace wake::db
