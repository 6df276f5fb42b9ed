// Accounts of people and their access tokens. Blocking; each call is one transaction on a connection of the
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
  std::string password_hash;  // PHC string, never shown
  broker::UtcTime created_at{};
};

/// Empty: the name is taken, by a user or by a device, whose id it would be in MQTT.
std::optional<User> add_user(Pool& pool, const std::string& username, const std::string& password_hash);
/// Also ends the account's access tokens. False: no such user.
bool set_password(Pool& pool, const std::string& username, const std::string& password_hash);
std::optional<User> find_user(Pool& pool, const std::string& username);
std::optional<User> find_user_by_id(Pool& pool, broker::UserId id);
/// By name; `after` is a name.
Page<User> list_users(Pool& pool, const PageRequest& page);
/// With all that is the user's: phones, sessions, entries, inbox. Empty: no such user.
std::optional<broker::UserId> remove_user(Pool& pool, const std::string& username);

/// Keeps the SHA-256 of a new token until it expires.
void add_access_token(Pool& pool, const std::string& token_hash, broker::UserId user,
                      broker::UtcTime expires_at);
/// Whose it is, while it has not expired.
std::optional<User> find_user_by_token(Pool& pool, const std::string& token_hash, broker::UtcTime now);

}  // namespace wake::db
