// Accounts of people. Blocking; each call is one transaction on a connection of the
// pool and throws StorageAway when PostgreSQL cannot be asked. Any thread. Names and hashes are checked by
// the caller.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "broker-core/types.hpp"
#include "db/account_page.hpp"
#include "db/pool.hpp"

namespace wake::db {

struct User {
  broker::UserId id;
  std::string username;
  std::string password_hash;  // PHC string, never shown; empty: no password of this account is known here
  broker::UtcTime created_at{};
  std::string scram{};  // SCRAM-SHA-256 verifier, never shown; empty: none yet
};

/// Empty: the name is taken, by a user or by a device, whose id it would be in MQTT.
std::optional<User> add_user(Pool& pool, const std::string& username, const std::string& password_hash,
                             const std::string& scram = {});
/// Also ends the account's log-ins with their tokens, but `kept_login`. False: no such user.
bool set_password(Pool& pool, const std::string& username, const std::string& password_hash,
                  const std::string& scram = {}, std::int64_t kept_login = 0);
/// For an account that has no verifier yet; nothing when it has, or when its password is another by now.
void keep_scram(Pool& pool, const User& user, const std::string& scram);
/// 32 random bytes that all gateways of this database share.
std::string shared_secret(Pool& pool, const std::string& name);
std::optional<User> find_user(Pool& pool, const std::string& username);
std::optional<User> find_user_by_id(Pool& pool, broker::UserId id);
/// By name; `after` is a name.
Page<User> list_users(Pool& pool, const PageRequest& page);
/// With all that is the user's: phones, sessions, entries, inbox. Empty: no such user.
std::optional<broker::UserId> remove_user(Pool& pool, const std::string& username);

}  // namespace wake::db
