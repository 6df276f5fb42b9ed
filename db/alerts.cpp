#include "db/alerts.hpp"

#include <algorithm>

#include <pqxx/connection>
#include <pqxx/transaction>

#include "db/columns.hpp"
#include "db/exec.hpp"
#include "db/sql/alerts.sql.hpp"

namespace wake::db {

std::vector<Alert> claim_alerts(Connection& connection, int node, std::optional<broker::UserId> user,
                                int limit) {
  pqxx::work work(connection);
  std::vector<Alert> alerts;
  for (const auto& row : exec(work, sql::claim_alerts, node, user ? user->value : 0, limit)) {
    alerts.push_back(
        {broker::AlertId{as_integer(row[0])}, broker::ClientId{as_string(row[1])}, as_string(row[2])});
  }
  work.commit();
  std::ranges::sort(alerts, {}, &Alert::id);
  return alerts;
}

}  // namespace wake::db
