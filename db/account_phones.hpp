// A user's phones, each with the session that keeps messages for it from before its first connect. Blocking,
// one transaction a call, throws StorageAway (see account_users.hpp). Any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "broker-core/delivery/records.hpp"
#include "db/account_page.hpp"
#include "db/pool.hpp"

namespace wake::db {

struct Phone {
  broker::PhoneRecord record;
  broker::UtcTime created_at{};
};

struct PhoneRegistration {
  enum class Outcome {
    Created,
    Refreshed,
    ClientIdTaken,       // the session or phone of another principal
    ClientIdOfOwnPhone,  // another phone of this user
    TooMany,             // the user has `max_phones`, and this would be one more
  };
  Outcome outcome = Outcome::Created;
  Phone phone;
  std::vector<broker::UserId> other_users;  // lost the token to this phone: their records changed
  std::optional<broker::ClientId>
      former_client_id;  // the phone connected with this before; its session is gone
};

/// Inserts or replaces the phone (user, phone_id) and its session row, and takes the token from whichever
/// phone had it. `has_environment`: the app named it; otherwise what is known of a token that stays the same
/// is kept. `check` sees the phone as it was (null: there was none), before another writer can change it, and
/// may throw: then all stays as it was.
PhoneRegistration register_phone(Pool& pool, broker::UserId user, const broker::PhoneRecord& phone,
                                 bool has_environment, std::uint32_t max_phones,
                                 const std::function<void(const Phone* former)>& check);
/// By phone id; `after` is a phone id.
Page<Phone> list_phones(Pool& pool, broker::UserId user, const PageRequest& page);
std::optional<Phone> find_phone(Pool& pool, broker::UserId user, const std::string& phone_id);
/// With its session and what is queued for it. The client id that it had; empty: no such phone.
std::optional<broker::ClientId> remove_phone(Pool& pool, broker::UserId user, const std::string& phone_id);

}  // namespace wake::db
