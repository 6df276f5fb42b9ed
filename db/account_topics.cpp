#include "db/account_topics.hpp"

#include <pqxx/except>

#include "db/account_row.hpp"
#include "db/keep_answer.hpp"
#include "db/push_policy_json.hpp"
#include "db/sql/account_topics.sql.hpp"

namespace wake::db {

using namespace account;

namespace {

/// The table holds only what from_json_text wrote. Should a row be unreadable (an operator's own UPDATE), the
/// entry is shown with the defaults rather than hiding all the user's entries; db/registry_store delivers by
/// the same rule.
broker::PushPolicy to_policy(const std::string& text) {
  const auto read = from_json_text(text);
  const auto* policy = std::get_if<broker::PushPolicy>(&read);
  return policy ? *policy : broker::PushPolicy{};
}

broker::EntryRecord to_entry(const pqxx::row& row) {
  return {.id = broker::EntryId{row["id"].as<std::int64_t>()},
          .filter = row["filter"].as<std::string>(),
          .device_id = row["device_id"].as<std::string>(),
          .device_name = row["device_name"].as<std::string>(),
          .title = row["title"].as<std::string>(),
          .subscribed = row["subscribed"].as<bool>(),
          .is_granted = row["granted"].as<bool>(),
          .push = to_policy(row["push"].as<std::string>())};
}

ListedEntry to_listed(const pqxx::row& row) {
  ListedEntry listed{to_entry(row), std::nullopt, row["unread"].as<int>()};
  const broker::MessageId last{row["last_id"].as<std::int64_t>()};
  if (last.value != 0) listed.last_message = {last, to_time(row["last_us"])};
  return listed;
}

pqxx::result list(Pool& pool, broker::UserId user, const EntryFilter& filter, std::int64_t after, int limit,
                  broker::UtcTime now) {
  return ask(pool, sql::account_entry_list, user.value, after, filter.device_id, filter.subscribed, limit,
             to_us(now), kMaxCountedUnread);
}

}  // namespace

std::optional<broker::EntryId> add_entry(Pool& pool, broker::UserId user, const broker::EntryRecord& record,
                                         const KeepAnswer<broker::EntryId>& keep) {
  try {
    return in_transaction(pool, [&](pqxx::work& work) -> std::optional<broker::EntryId> {
      const pqxx::result rows =
          exec(work, sql::account_entry_add, user.value, record.device_id, record.filter, record.title,
               record.subscribed, to_json_text(record.push, PolicyShape::Changes), record.is_granted);
      if (rows.empty()) return std::nullopt;
      const broker::EntryId id{rows[0][0].as<std::int64_t>()};
      keep_answer(work, keep, id);
      return id;
    });
  } catch (const pqxx::foreign_key_violation&) {  // unpaired between the caller's check and now
    return std::nullopt;
  }
}

int count_entries(Pool& pool, broker::UserId user) {
  return ask(pool, sql::account_entry_count, user.value)[0][0].as<int>();
}

Page<ListedEntry> list_entries(Pool& pool, broker::UserId user, const EntryFilter& filter,
                               const PageRequest& page, broker::UtcTime now) {
  return cut_page<ListedEntry>(
      list(pool, user, filter, after_number(page), page.limit + 1, now), page, to_listed,
      [](const ListedEntry& entry) { return std::to_string(entry.record.id.value); });
}

std::optional<ListedEntry> find_entry(Pool& pool, broker::UserId user, broker::EntryId id,
                                      broker::UtcTime now) {
  const pqxx::result rows = list(pool, user, {}, id.value - 1, 1, now);
  if (rows.empty() || rows[0]["id"].as<std::int64_t>() != id.value) return std::nullopt;
  return to_listed(rows[0]);
}

std::vector<std::string> list_granted_filters(Pool& pool, broker::UserId user) {
  std::vector<std::string> filters;
  for (const pqxx::row& row : ask(pool, sql::account_entry_granted, user.value))
    filters.push_back(row[0].as<std::string>());
  return filters;
}

EntryUpdate change_entry(Pool& pool, broker::UserId user, broker::EntryId id,
                         const std::function<void(broker::EntryRecord&)>& change) {
  try {
    return in_transaction(pool, [&](pqxx::work& work) {
      const pqxx::result found = exec(work, sql::account_entry_lock, user.value, id.value);
      if (found.empty()) return EntryUpdate::NoSuchEntry;
      broker::EntryRecord entry = to_entry(found[0]);
      change(entry);
      exec(work, sql::account_entry_update, user.value, id.value, entry.device_id, entry.filter, entry.title,
           entry.subscribed, to_json_text(entry.push, PolicyShape::Changes), entry.is_granted);
      return EntryUpdate::Done;
    });
  } catch (const pqxx::unique_violation&) {
    return EntryUpdate::FilterTaken;
  } catch (const pqxx::foreign_key_violation&) {  // unpaired meanwhile: the entry is gone with the pairing
    return EntryUpdate::NoSuchEntry;
  }
}

bool remove_entry(Pool& pool, broker::UserId user, broker::EntryId id,
                  const std::function<void(const broker::EntryRecord&)>& check) {
  return in_transaction(pool, [&](pqxx::work& work) {
    const pqxx::result found = exec(work, sql::account_entry_lock, user.value, id.value);
    if (found.empty()) return false;
    check(to_entry(found[0]));
    exec(work, sql::account_entry_remove, user.value, id.value);
    return true;
  });
}

}  // namespace wake::db
