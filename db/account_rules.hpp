// Rules that give more permission than pairings and keys do (contract §6): the operator's, and what the back
// end behind [auth] webhook_url answered. Blocking, one transaction a call, throws StorageAway (see
// account_users.hpp). Any thread. Subjects, actions and filters are checked by the caller.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "broker-core/types.hpp"
#include "db/account_grants.hpp"
#include "db/account_page.hpp"
#include "db/idempotency_store.hpp"
#include "db/pool.hpp"

namespace wake::db {

struct AclRule {
  std::int64_t id = 0;
  std::string subject;   // "user", "device", "service", "all"
  std::string name;      // account name, device id, key name; empty: whoever is of the subject
  std::string action;    // "publish", "subscribe", "all"
  std::string filter;    // may hold %u and %c
  std::string source{};  // "operator" or "webhook"
};

/// `id` is made here; the source is the operator.
AclRule add_rule(Pool& pool, const AclRule& rule, const KeepAnswer<AclRule>& keep = {});
/// By id; `after` is an id.
Page<AclRule> list_rules(Pool& pool, const PageRequest& page);
/// Empty: no such rule.
std::optional<AclRule> remove_rule(Pool& pool, std::int64_t id);

/// What the back end gives this user or device from now on, instead of what it gave before. True: that is
/// something else.
bool replace_webhook_rules(Pool& pool, const broker::Principal& principal, const std::vector<AclRow>& rules);

}  // namespace wake::db
