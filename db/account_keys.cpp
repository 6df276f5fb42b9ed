#include "db/account_keys.hpp"

#include <algorithm>

#include "db/account_row.hpp"
#include "db/keep_answer.hpp"
#include "db/sql/account_keys.sql.hpp"

namespace wake::db {

using namespace account;

namespace {

ApiKey to_key(const pqxx::row& row) {
  return {row["id"].as<std::int64_t>(), row["name"].as<std::string>(),
          array_items(row["scopes"]),   array_items(row["filters"]),
          to_time(row["created_us"]),   from_hex(row["hash_hex"].as<std::string>())};
}

std::optional<ApiKey> first_key(const pqxx::result& rows) {
  if (rows.empty()) return std::nullopt;
  return to_key(rows[0]);
}

}  // namespace

bool ApiKey::has_scope(const std::string& scope) const {
  return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
}

ApiKey add_api_key(Pool& pool, const ApiKey& key, const std::string& key_hash,
                   const KeepAnswer<ApiKey>& keep) {
  return in_transaction(pool, [&](pqxx::work& work) {
    ApiKey made = to_key(exec(work, sql::account_key_add, key.name, to_hex(key_hash), array_text(key.scopes),
                              array_text(key.filters))[0]);
    keep_answer(work, keep, made);
    return made;
  });
}

std::optional<ApiKey> find_api_key(Pool& pool, const std::string& key_hash) {
  return first_key(ask(pool, sql::account_key_find, to_hex(key_hash)));
}

std::optional<ApiKey> find_api_key_by_id(Pool& pool, std::int64_t id) {
  return first_key(ask(pool, sql::account_key_find_by_id, id));
}

Page<ApiKey> list_api_keys(Pool& pool, const PageRequest& page) {
  return cut_page<ApiKey>(ask(pool, sql::account_key_list, after_number(page), page.limit + 1), page, to_key,
                          [](const ApiKey& key) { return std::to_string(key.id); });
}

bool remove_api_key(Pool& pool, std::int64_t id) {
  return in_transaction(pool, [&](pqxx::work& work) {
    if (exec(work, sql::account_key_remove, id).affected_rows() == 0) return false;
    exec(work, sql::account_key_drop_sessions, id);
    return true;
  });
}

}  // namespace wake::db
