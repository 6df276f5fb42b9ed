// Parameters of a statement in PostgreSQL's binary format: nothing is printed, escaped or parsed on the way
// of a message. Layouts are those of the server's array_recv, int8recv, timestamptz_recv ...; integers are
// big-endian.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker-core/types.hpp"

namespace wake::db::pq {

/// Object ids of pg_type that never change (src/include/catalog/pg_type.dat).
enum class Oid : std::uint32_t {
  Bool = 16,
  Bytea = 17,
  Int8 = 20,
  Int2 = 21,
  Int4 = 23,
  Text = 25,
  Timestamptz = 1184,
};

/// One column of many rows: becomes a one-dimensional array for unnest().
class Column {
 public:
  explicit Column(Oid element);

  void add(std::string_view bytes);  // Text, Bytea
  void add(const char*) = delete;    // would pass for a bool
  void add(bool value);
  void add(std::int16_t value);
  void add(std::int32_t value);
  void add(std::int64_t value);
  void add(broker::UtcTime value);  // kNever is 'infinity'
  void add_null();

  std::int32_t size() const { return count_; }
  /// The finished parameter; the column is used up.
  std::string take();

 private:
  void add_length(std::int32_t bytes);

  std::string bytes_;
  std::int32_t count_ = 0;
  bool has_null_ = false;
};

/// A single timestamptz or bigint as a parameter.
std::string encode(broker::UtcTime value);
std::string encode(std::int64_t value);
std::string encode(std::int32_t value);

}  // namespace wake::db::pq
