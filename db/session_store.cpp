#include "db/session_store.hpp"

#include <unordered_map>

#include <pqxx/connection>
#include <pqxx/transaction>

#include "db/columns.hpp"
#include "db/exec.hpp"
#include "db/principal_kind.hpp"
#include "db/sql/session.sql.hpp"

namespace wake::db {
namespace {

using broker::MessageRecord;
using broker::SessionRecord;

constexpr int kSessionsPerPage = 5'000;
constexpr int kRetainedPerPage = 500;  // payloads come along
constexpr const char* kBeforeAllHashes = "00000000-0000-0000-0000-000000000000";

SessionRecord as_session(const pqxx::row& row) {
  SessionRecord session;
  session.client_id.value = as_string(row[0]);
  session.principal = {kind_of(as_string(row[1])).value_or(broker::Principal::Kind::Anonymous),
                       as_string(row[2]), as_string(row[5])};
  session.expiry_s = static_cast<std::uint32_t>(as_integer(row[3]));
  session.ends_at = as_time(row[4]);
  return session;
}

broker::SubscriptionRecord as_subscription(const pqxx::row& row) {
  return {.filter = as_string(row[1]),
          .qos = as_qos(row[2]),
          .no_local = as_bool(row[3]),
          .retain_as_published = as_bool(row[4]),
          .retain_handling = static_cast<std::uint8_t>(as_integer(row[5])),
          .subscription_id = static_cast<std::uint32_t>(as_integer(row[6]))};
}

broker::PacketId as_packet_id(const pqxx::field& field) {
  return {field.is_null() ? std::uint16_t{0} : static_cast<std::uint16_t>(as_integer(field))};
}

using StartedIds = std::unordered_map<std::string, std::vector<broker::PacketId>>;  // by client id

StartedIds load_started(pqxx::work& transaction) {
  StartedIds started;
  for (const auto& row : exec(transaction, sql::list_started))
    started[as_string(row[0])].push_back(as_packet_id(row[1]));
  return started;
}

/// PostgreSQL's text form of bigint[].
std::string to_array(const std::vector<broker::MessageId>& ids) {
  std::string text = "{";
  for (const auto& id : ids) text += (text.size() > 1 ? "," : "") + std::to_string(id.value);
  return text + "}";
}

std::vector<SessionRecord> load_session_page(pqxx::work& transaction, const std::string& after) {
  std::vector<SessionRecord> page;
  for (const auto& row : exec(transaction, sql::list_sessions, after, kSessionsPerPage))
    page.push_back(as_session(row));
  if (page.empty()) return page;
  std::unordered_map<std::string, SessionRecord*> by_client;
  for (auto& session : page) by_client[session.client_id.value] = &session;
  const auto& first = page.front().client_id.value;
  const auto& last = page.back().client_id.value;
  for (const auto& row : exec(transaction, sql::list_subscriptions, first, last)) {
    const auto owner = by_client.find(as_string(row[0]));
    if (owner != by_client.end()) owner->second->subscriptions.push_back(as_subscription(row));
  }
  for (const auto& row : exec(transaction, sql::list_receipts, first, last)) {
    const auto owner = by_client.find(as_string(row[0]));
    if (owner != by_client.end()) owner->second->receipts.push_back(as_packet_id(row[1]));
  }
  return page;
}

}  // namespace

void forget_provisional(Connection& connection, unsigned node) {
  pqxx::work transaction(connection);
  exec(transaction, sql::forget_provisional, static_cast<int>(node));
  transaction.commit();
}

void load_sessions(Connection& connection, unsigned node, broker::UtcTime now,
                   const std::function<void(SessionRecord&&)>& each) {
  pqxx::work transaction(connection);
  exec(transaction, sql::end_connected_sessions, to_timestamp(now), static_cast<int>(node));
  StartedIds started = load_started(transaction);
  std::string after;
  while (true) {
    auto page = load_session_page(transaction, after);
    if (page.empty()) break;
    after = page.back().client_id.value;
    for (auto& session : page) {
      const auto found = started.find(session.client_id.value);
      if (found != started.end()) session.started = std::move(found->second);
      each(std::move(session));
    }
  }
  transaction.commit();
}

void load_retained(Connection& connection, broker::UtcTime now,
                   const std::function<void(MessageRecord&&)>& each) {
  pqxx::work transaction(connection);
  std::string after = kBeforeAllHashes;
  while (true) {
    const auto rows = exec(transaction, sql::list_retained, after, to_timestamp(now), kRetainedPerPage);
    if (rows.empty()) break;
    after = as_string(rows.back()[0]);
    for (const auto& row : rows) {
      each({.id = {as_integer(row[1])},
            .topic = as_string(row[2]),
            .payload = as_bytea(row[3]),
            .qos = as_qos(row[4]),
            .retain = true,
            .properties = as_bytea(row[5]),
            .publisher = {as_string(row[6])},
            .at = as_time(row[7]),
            .expires_at = as_time(row[8])});
    }
  }
}

broker::QueuePage load_queue_page(Connection& connection, const broker::ClientId& client_id,
                                  const std::vector<broker::MessageId>& except, std::size_t limit,
                                  std::size_t max_bytes) {
  pqxx::work transaction(connection);
  broker::QueuePage page;
  const auto rows = exec(transaction, sql::list_queue, client_id.value, to_array(except),
                         static_cast<std::int64_t>(limit), static_cast<std::int64_t>(max_bytes));
  for (const auto& row : rows) {
    page.messages.push_back({.message = {.id = {as_integer(row[0])},
                                         .topic = as_string(row[1]),
                                         .payload = as_bytea(row[2]),
                                         .qos = as_qos(row[3]),
                                         .retain = as_bool(row[4]),
                                         .properties = as_bytea(row[5]),
                                         .publisher = {as_string(row[6])},
                                         .at = as_time(row[7]),
                                         .expires_at = as_time(row[8])},
                             .qos = as_qos(row[9]),
                             .retain = as_bool(row[10]),
                             .subscription_id = static_cast<std::uint32_t>(as_integer(row[11])),
                             .packet_id = as_packet_id(row[13]),
                             .is_received = !row[14].is_null() && as_bool(row[14])});
    const auto candidates = static_cast<std::size_t>(as_integer(row[12]));
    page.is_last = candidates < limit && candidates == rows.size();
  }
  return page;
}

void load_queue_counts(Connection& connection, const std::function<void(const QueueCount&)>& each) {
  pqxx::work transaction(connection);
  for (const auto& row : exec(transaction, sql::count_queues)) {
    each({{as_string(row[0])},
          static_cast<std::uint64_t>(as_integer(row[1])),
          static_cast<std::uint64_t>(as_integer(row[2]))});
  }
}

}  // namespace wake::db
