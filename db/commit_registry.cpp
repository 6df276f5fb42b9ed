#include "db/commit_registry.hpp"

#include <map>
#include <string_view>
#include <utility>

#include "db/append_statement.hpp"
#include "db/sql/commit.sql.hpp"

namespace wake::db {

using broker::Persist;
using pq::Column;
using pq::Oid;
using pq::Statement;

namespace {

void append_alerts(std::vector<Statement>& out, std::span<const Persist* const> group) {
  Column told(Oid::Int8);
  for (const Persist* batch : group) {
    for (const auto& id : batch->alerts_told) told.add(id.value);
  }
  append(out, sql::remove_alerts, told);
}

void append_switches(std::vector<Statement>& out, std::span<const Persist* const> group) {
  std::map<std::pair<std::int64_t, std::string_view>, bool> last;
  for (const Persist* batch : group) {
    for (const auto& one : batch->switched) last[{one.user_id.value, one.filter}] = one.is_subscribed;
  }
  Column users(Oid::Int8), filters(Oid::Text), subscribed(Oid::Bool);
  for (const auto& [key, is_subscribed] : last) {
    users.add(key.first);
    filters.add(key.second);
    subscribed.add(is_subscribed);
  }
  append(out, sql::switch_entries, users, filters, subscribed);
}

}  // namespace

void append_registry(std::vector<Statement>& out, std::span<const Persist* const> group) {
  append_alerts(out, group);
  append_switches(out, group);
}

}  // namespace wake::db
