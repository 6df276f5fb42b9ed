#include "db/will_store.hpp"

#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include "db/columns.hpp"
#include "db/exec.hpp"
#include "db/principal_kind.hpp"
#include "db/sql/will.sql.hpp"

namespace wake::db {
namespace {

using broker::WillRecord;

constexpr int kWillsPerPage = 1'000;  // payloads come along, of up to 64 KiB

WillRecord as_will(const pqxx::row& row, unsigned node) {
  WillRecord will;
  will.id = {as_integer(row[0])};
  will.node = node;
  will.client_id.value = as_string(row[1]);
  will.principal = {kind_of(as_string(row[2])).value_or(broker::Principal::Kind::Anonymous),
                    as_string(row[3]), as_string(row[4])};
  will.message.topic = as_string(row[5]);
  will.message.payload = as_bytea(row[6]);
  will.message.qos = as_qos(row[7]);
  will.message.retain = as_bool(row[8]);
  will.message.properties = as_bytea(row[9]);
  will.delay_s = static_cast<std::uint32_t>(as_integer(row[10]));
  if (!row[11].is_null()) will.message_expiry_s = static_cast<std::uint32_t>(as_integer(row[11]));
  will.due_at = as_time(row[12]);
  return will;
}

}  // namespace

void load_wills(Connection& connection, unsigned node, broker::UtcTime now,
                const std::function<void(WillRecord&&)>& each) {
  pqxx::work transaction(connection);
  const int number = static_cast<int>(node);
  exec(transaction, sql::lock_wills);
  exec(transaction, sql::adopt_wills, number, to_timestamp(now));
  std::int64_t after = 0;
  while (true) {
    const auto page = exec(transaction, sql::list_wills, after, number, kWillsPerPage);
    for (const auto& row : page) each(as_will(row, node));
    if (page.size() < kWillsPerPage) break;
    after = as_integer(page.back()[0]);
  }
  transaction.commit();
}

std::vector<int> vacant_numbers(Connection& connection) {
  pqxx::nontransaction session(connection);
  std::vector<int> numbers;
  for (const auto& row : exec(session, sql::vacant_numbers))
    numbers.push_back(static_cast<int>(as_integer(row[0])));
  return numbers;
}

std::vector<WillRecord> inherit_wills(Connection& connection, int from, unsigned node, broker::UtcTime now,
                                      int limit) {
  pqxx::work transaction(connection);
  exec(transaction, sql::lock_wills);
  exec(transaction, sql::forget_wills_of_returned, from);
  exec(transaction, sql::date_wills, from, to_timestamp(now));
  std::vector<WillRecord> inherited;
  for (const auto& row :
       exec(transaction, sql::inherit_wills, from, static_cast<int>(node), to_timestamp(now), limit))
    inherited.push_back(as_will(row, node));
  transaction.commit();
  return inherited;
}

}  // namespace wake::db
