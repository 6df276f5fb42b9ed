#include "db/pq/params.hpp"

#include <chrono>
#include <limits>

namespace wake::db::pq {
namespace {

// dimensions, has nulls, element type, length of the dimension, its lower bound
constexpr std::size_t kHeaderBytes = 5 * 4;

template <class Unsigned>
void append(std::string& out, Unsigned value) {
  char bytes[sizeof value];
  for (std::size_t i = 0; i < sizeof value; ++i) {
    bytes[i] = static_cast<char>(value >> (8 * (sizeof value - 1 - i)));
  }
  out.append(bytes, sizeof value);
}

void put(std::string& out, std::size_t at, std::uint32_t value) {
  std::string bytes;
  append(bytes, value);
  out.replace(at, bytes.size(), bytes);
}

/// Microseconds since 2000-01-01, PostgreSQL's epoch.
std::int64_t since_2000(broker::UtcTime value) {
  if (value == broker::kNever) return std::numeric_limits<std::int64_t>::max();
  constexpr broker::UtcTime kEpoch = std::chrono::sys_days(std::chrono::year(2000) / 1 / 1);
  return (value - kEpoch).count();
}

}  // namespace

Column::Column(Oid element) {
  bytes_.resize(kHeaderBytes);
  put(bytes_, 8, static_cast<std::uint32_t>(element));
}

void Column::add_length(std::int32_t bytes) {
  ++count_;
  append(bytes_, static_cast<std::uint32_t>(bytes));
}

void Column::add(std::string_view bytes) {
  add_length(static_cast<std::int32_t>(bytes.size()));
  bytes_.append(bytes);
}

void Column::add(bool value) {
  add_length(1);
  bytes_.push_back(value ? '\1' : '\0');
}

void Column::add(std::int16_t value) {
  add_length(2);
  append(bytes_, static_cast<std::uint16_t>(value));
}

void Column::add(std::int32_t value) {
  add_length(4);
  append(bytes_, static_cast<std::uint32_t>(value));
}

void Column::add(std::int64_t value) {
  add_length(8);
  append(bytes_, static_cast<std::uint64_t>(value));
}

void Column::add(broker::UtcTime value) { add(since_2000(value)); }

void Column::add_null() {
  has_null_ = true;
  add_length(-1);
}

std::string Column::take() {
  put(bytes_, 0, count_ == 0 ? 0 : 1);
  put(bytes_, 4, has_null_ ? 1 : 0);
  put(bytes_, 12, static_cast<std::uint32_t>(count_));
  put(bytes_, 16, 1);
  if (count_ == 0) bytes_.resize(3 * 4);
  return std::move(bytes_);
}

std::string encode(broker::UtcTime value) { return encode(since_2000(value)); }

std::string encode(std::int64_t value) {
  std::string bytes;
  append(bytes, static_cast<std::uint64_t>(value));
  return bytes;
}

std::string encode(std::int32_t value) {
  std::string bytes;
  append(bytes, static_cast<std::uint32_t>(value));
  return bytes;
}

}  // namespace wake::db::pq
