#include "db/outbox_claims.hpp"

#include <pqxx/connection>
#include <pqxx/transaction>

#include "db/columns.hpp"
#include "db/exec.hpp"
#include "db/sql/outbox.sql.hpp"

namespace wake::db {
namespace {

using broker::EntryRecord;
using broker::MessageRecord;
using push::Notification;

std::shared_ptr<const MessageRecord> as_message(const pqxx::row& row) {
  auto message = std::make_shared<MessageRecord>();
  message->id.value = as_integer(row["message_id"]);
  message->topic = as_string(row["topic"]);
  message->payload = as_bytea(row["payload"]);
  message->qos = as_qos(row["qos"]);
  message->retain = as_bool(row["retain"]);
  message->properties = as_bytea(row["properties"]);
  message->publisher.value = as_string(row["publisher"]);
  message->at = as_time(row["at"]);
  message->expires_at = as_time(row["message_expires"]);
  return message;
}

std::shared_ptr<const EntryRecord> as_entry(const pqxx::row& row, const OnBadPolicy& bad) {
  if (row["entry_id"].is_null()) return nullptr;
  auto entry = std::make_shared<EntryRecord>();
  entry->id.value = as_integer(row["entry_id"]);
  entry->filter = as_string(row["filter"]);
  entry->device_id = as_string(row["device_id"]);
  entry->device_name = as_string(row["device_name"]);
  entry->title = as_string(row["title"]);
  entry->subscribed = as_bool(row["subscribed"]);
  entry->push = read_stored_policy(entry->id, row["push"].c_str(), bad);
  return entry;
}

broker::DeviceToken as_token(const pqxx::row& row) {
  using namespace broker;
  DeviceToken token;
  token.platform = as_string(row["platform"]) == "fcm" ? Platform::Fcm : Platform::Apns;
  token.app_id = as_string(row["app_id"]);
  token.environment =
      as_string(row["environment"]) == "sandbox" ? Environment::Sandbox : Environment::Production;
  token.environment_proven = as_bool(row["environment_proven"]);
  token.kind = as_string(row["token_kind"]) == "fid" ? TokenKind::Fid : TokenKind::Token;
  token.token = as_string(row["token"]);
  token.registered_at = as_time(row["registered"]);
  return token;
}

/// Rows come message by message; only the first of each has the content.
std::shared_ptr<const MessageRecord> shared_message(const pqxx::row& row,
                                                    const std::vector<Notification>& before) {
  if (!before.empty() && before.back().key.message_id.value == as_integer(row["message_id"]))
    return before.back().message;
  return as_message(row);
}

}  // namespace

void release_claims(Connection& connection, int node) {
  pqxx::work transaction(connection);
  exec(transaction, sql::release_claims, node);
  transaction.commit();
}

std::vector<Notification> claim(Connection& connection, int node, broker::UtcTime now, int limit,
                                const OnBadPolicy& bad) {
  pqxx::work transaction(connection);
  const auto rows = exec(transaction, sql::claim_notifications, node, to_timestamp(now), limit);
  std::vector<Notification> claimed;
  claimed.reserve(rows.size());
  for (const auto& row : rows) {
    Notification notification;
    notification.key = {{as_integer(row["message_id"])}, {as_integer(row["phone_id"])}};
    notification.message = shared_message(row, claimed);
    notification.entry = as_entry(row, bad);
    notification.token = as_token(row);
    notification.locale = as_string(row["locale"]);
    notification.expires_at = as_time(row["expires"]);
    notification.attempt_count = static_cast<int>(as_integer(row["attempt_count"]));
    claimed.push_back(std::move(notification));
  }
  transaction.commit();
  return claimed;
}

std::vector<push::WaitingAlert> load_waiting_alerts(Connection& connection, int node, int limit) {
  pqxx::work transaction(connection);
  std::vector<push::WaitingAlert> alerts;
  for (const auto& row : exec(transaction, sql::waiting_alerts, node, limit)) {
    alerts.push_back({.key = {{as_integer(row["message_id"])}, {as_integer(row["phone_id"])}},
                      .topic = as_string(row["topic"]),
                      .due_at = as_time(row["due"])});
  }
  return alerts;
}

}  // namespace wake::db
