#include "db/account_users.hpp"

#include <pqxx/except>

#include "db/account_row.hpp"
#include "db/sql/account_users.sql.hpp"

namespace wake::db {

using namespace account;

namespace {

std::optional<User> first_user(const pqxx::result& rows) {
  if (rows.empty()) return std::nullopt;
  return to_user(rows[0]);
}

}  // namespace

std::optional<User> add_user(Pool& pool, const std::string& username, const std::string& password_hash,
                             const std::string& scram) {
  try {
    return first_user(ask(pool, sql::account_user_add, username, password_hash, scram));
  } catch (const pqxx::unique_violation&) {  // a device's id (trigger users_name)
    return std::nullopt;
  }
}

bool set_password(Pool& pool, const std::string& username, const std::string& password_hash,
                  const std::string& scram, std::int64_t kept_login) {
  return in_transaction(pool, [&](pqxx::work& work) {
    const pqxx::result changed = exec(work, sql::account_user_set_password, username, password_hash, scram);
    if (changed.empty()) return false;
    const auto id = changed[0][0].as<std::int64_t>();
    exec(work, sql::account_user_drop_logins, id, kept_login);
    exec(work, sql::account_user_drop_tokens, id);
    return true;
  });
}

void keep_scram(Pool& pool, const User& user, const std::string& scram) {
  ask(pool, sql::account_user_keep_scram, user.id.value, user.password_hash, scram);
}

std::string shared_secret(Pool& pool, const std::string& name) {
  const pqxx::result rows = ask(pool, sql::account_shared_secret, name);
  return from_hex(rows.at(0)["value_hex"].as<std::string>());
}

std::optional<User> find_user(Pool& pool, const std::string& username) {
  return first_user(ask(pool, sql::account_user_find, username));
}

std::optional<User> find_user_by_id(Pool& pool, broker::UserId id) {
  return first_user(ask(pool, sql::account_user_find_by_id, id.value));
}

Page<User> list_users(Pool& pool, const PageRequest& page) {
  return cut_page<User>(ask(pool, sql::account_user_list, page.after, page.limit + 1), page, to_user,
                        [](const User& user) { return user.username; });
}

std::optional<broker::UserId> remove_user(Pool& pool, const std::string& username) {
  return in_transaction(pool, [&](pqxx::work& work) -> std::optional<broker::UserId> {
    const pqxx::result removed = exec(work, sql::account_user_remove, username);
    if (removed.empty()) return std::nullopt;
    const broker::UserId id{removed[0][0].as<std::int64_t>()};
    exec(work, sql::account_user_drop_sessions, id.value);
    return id;
  });
}

}  // namespace wake::db
