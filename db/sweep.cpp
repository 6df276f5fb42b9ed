#include "db/sweep.hpp"

#include <pqxx/connection>
#include <pqxx/transaction>

#include "db/columns.hpp"
#include "db/exec.hpp"
#include "db/sql/sweep.sql.hpp"

namespace wake::db {
namespace {

std::uint64_t remove(Connection& connection, const Query& query, broker::UtcTime before, int limit,
                     bool& is_full) {
  pqxx::work transaction(connection);
  const auto removed = exec(transaction, query, to_timestamp(before), limit).affected_rows();
  transaction.commit();
  if (removed >= static_cast<std::size_t>(limit)) is_full = true;
  return removed;
}

std::uint64_t remove_unowed(Connection& connection, broker::UtcTime now, int limit, SweepCursor& cursor,
                            bool& is_full) {
  pqxx::work transaction(connection);
  const auto row = exec(transaction, sql::sweep_unowed_messages, cursor.after.value, limit,
                        to_timestamp(now - kUnowedMessageAge), to_timestamp(now - kTraceAge))[0];
  transaction.commit();
  const bool was_last = as_integer(row[1]) < limit;
  cursor.after.value = was_last ? 0 : as_integer(row[2]);
  if (!was_last) is_full = true;
  return static_cast<std::uint64_t>(as_integer(row[0]));
}

std::uint64_t remove_left_over(Connection& connection, int limit, SweepCursor& cursor, bool& is_full) {
  pqxx::work transaction(connection);
  const auto row = exec(transaction, sql::sweep_left_over_queue, cursor.queue.client_id,
                        cursor.queue.message_id.value, limit)[0];
  transaction.commit();
  const bool was_last = as_integer(row[1]) < limit;
  cursor.queue = {};
  if (!was_last) cursor.queue = {as_string(row[2]), {as_integer(row[3])}};
  const auto removed = static_cast<std::uint64_t>(as_integer(row[0]));
  if (removed > 0 && !was_last) is_full = true;
  return removed;
}

}  // namespace

SweepResult sweep(Connection& connection, broker::UtcTime now, int limit, SweepCursor& cursor) {
  SweepResult result;
  bool& is_full = result.is_full;
  result.sessions = remove(connection, sql::sweep_sessions, now - kSessionMargin, limit, is_full);
  result.expired_messages = remove(connection, sql::sweep_expired_messages, now, limit, is_full);
  result.inbox = remove(connection, sql::sweep_inbox, now, limit, is_full);
  result.unowed_messages = remove_unowed(connection, now, limit, cursor, is_full);
  result.left_over_rows = remove_left_over(connection, limit, cursor, is_full);
  result.refusals = remove(connection, sql::sweep_refusals, now - kTraceAge, limit, is_full);
  result.access_tokens = remove(connection, sql::sweep_access_tokens, now, limit, is_full);
  result.logins = remove(connection, sql::sweep_logins, now, limit, is_full);
  result.pairing_codes = remove(connection, sql::sweep_pairing_codes, now, limit, is_full);
  result.idempotency_keys = remove(connection, sql::sweep_idempotency_keys, now, limit, is_full);
  return result;
}

}  // namespace wake::db
