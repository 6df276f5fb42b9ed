#include "db/account_topics.hpp"

#include <pqxx/except>

#include "db/account_row.hpp"
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
          .push = to_policy(row["push"].as<std::string>())};
}

}  // namespace

std::optional<broker::EntryId> add_entry(Pool& pool, broker::UserId user, const broker::EntryRecord& record) {
  try {
    const pqxx::result rows =
        ask(pool, sql::account_entry_add, user.value, record.device_id, record.filter, record.title,
            record.subscribed, to_json_text(record.push, PolicyShape::Changes));
    if (rows.empty()) return std::nullopt;
    return broker::EntryId{rows[0][0].as<std::int64_t>()};
  } catch (const pqxx::foreign_key_violation&) {  // unpaired between the caller's check and now
    return std::nullopt;
  }
}

Page<broker::EntryRecord> list_entries(Pool& pool, broker::UserId user, const EntryFilter& filter,
                                       const PageRequest& page) {
  return cut_page<broker::EntryRecord>(
      ask(pool, sql::account_entry_list, user.value, after_number(page), filter.device_id, filter.subscribed,
          page.limit + 1),
      page, to_entry, [](const broker::EntryRecord& entry) { return std::to_string(entry.id.value); });
}

std::optional<broker::EntryRecord> find_entry(Pool& pool, broker::UserId user, broker::EntryId id) {
  const pqxx::result rows = ask(pool, sql::account_entry_find, user.value, id.value);
  if (rows.empty()) return std::nullopt;
  return to_entry(rows[0]);
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
           entry.subscribed, to_json_text(entry.push, PolicyShape::Changes));
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
