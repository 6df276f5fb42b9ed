// API keys of services (back ends). Blocking, one transaction a call, throws StorageAway (see
// account_users.hpp). Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "broker-core/types.hpp"
#include "db/account_page.hpp"
#include "db/idempotency_store.hpp"
#include "db/pool.hpp"

namespace wake::db {

struct ApiKey {
  std::int64_t id = 0;
  std::string name;
  std::vector<std::string> scopes;   // of "admin", "publish", "subscribe"
  std::vector<std::string> filters;  // topic filters; none: nothing but what acl_rules add
  broker::UtcTime created_at{};
  std::string hash{};  // SHA-256 of the key, never shown
  bool has_scope(const std::string& scope) const;
};

/// `key.id` and `created_at` are made here. Scopes and filters are checked by the caller. Names need not be
/// unique.
ApiKey add_api_key(Pool& pool, const ApiKey& key, const std::string& key_hash,
                   const KeepAnswer<ApiKey>& keep = {});
std::optional<ApiKey> find_api_key(Pool& pool, const std::string& key_hash);
std::optional<ApiKey> find_api_key_by_id(Pool& pool, std::int64_t id);
/// By id; `after` is an id.
Page<ApiKey> list_api_keys(Pool& pool, const PageRequest& page);
/// With its sessions. False: no such key.
bool remove_api_key(Pool& pool, std::int64_t id);

}  // namespace wake::db
