// What the tables say about a principal's permission: paired devices and rules, as stored (%u and %c not yet
// put in). Blocking, throws StorageAway (see account_users.hpp). Any thread.
#pragma once

#include <string>
#include <vector>

#include "broker-core/types.hpp"
#include "db/pool.hpp"

namespace wake::db {

struct AclRow {
  bool may_publish = false;
  bool may_subscribe = false;
  std::string filter;  // may hold %u and %c
};

struct Permissions {
  std::vector<std::string> device_ids;  // sorted; a user's paired ones
  std::vector<AclRow> rules;
};

/// Rules are those of the principal's kind or of 'all', whose name is empty or `rule_name` (account name,
/// device id, key name).
Permissions load_permissions(Pool& pool, const broker::Principal& principal, const std::string& rule_name);

}  // namespace wake::db
