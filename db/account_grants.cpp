#include "db/account_grants.hpp"

#include "db/account_row.hpp"
#include "db/principal_kind.hpp"
#include "db/sql/account_grants.sql.hpp"

namespace wake::db {

using namespace account;

namespace {

AclRow to_rule(const pqxx::row& row) {
  const std::string action = row["action"].as<std::string>();
  return {action != "subscribe", action != "publish", row["filter"].as<std::string>()};
}

}  // namespace

Permissions load_permissions(Pool& pool, const broker::Principal& principal, const std::string& rule_name) {
  return pool.with([&](Connection& connection) {
    pqxx::nontransaction read(connection);
    Permissions permissions;
    if (principal.kind == broker::Principal::Kind::User) {
      for (const pqxx::row& row : exec(read, sql::account_grants_devices, principal.id)) {
        permissions.device_ids.push_back(row[0].as<std::string>());
      }
    }
    for (const pqxx::row& row :
         exec(read, sql::account_grants_rules, std::string(text_of(principal.kind)), rule_name)) {
      permissions.rules.push_back(to_rule(row));
    }
    return permissions;
  });
}

}  // namespace wake::db
