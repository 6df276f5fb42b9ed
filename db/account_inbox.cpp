#include "db/account_inbox.hpp"

#include <pqxx/binarystring>

#include "db/account_row.hpp"
#include "db/sql/account_inbox.sql.hpp"

namespace wake::db {

using namespace account;

namespace {

broker::MessageRecord to_message(const pqxx::row& row) {
  broker::MessageRecord message;
  message.id = broker::MessageId{row["id"].as<std::int64_t>()};
  message.topic = row["topic"].as<std::string>();
  message.payload = pqxx::binarystring(row["payload"]).str();
  message.qos = static_cast<broker::Qos>(row["qos"].as<int>());
  message.retain = row["retain"].as<bool>();
  message.at = to_time(row["at_us"]);
  if (!row["expires_us"].is_null()) message.expires_at = to_time(row["expires_us"]);
  return message;
}

std::vector<broker::MessageId> to_ids(const pqxx::result& rows) {
  std::vector<broker::MessageId> ids;
  for (const pqxx::row& row : rows) ids.push_back(broker::MessageId{row[0].as<std::int64_t>()});
  return ids;
}

std::optional<broker::UtcTime> to_optional_time(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return to_time(field);
}

TraceRow to_trace_row(const pqxx::row& row) {
  return {.receiver = row["receiver"].as<std::string>(),
          .id = row["id"].as<std::string>(),
          .user_id = row["user_id"].as<std::string>(),
          .state = row["state"].as<std::string>(),
          .reason = row["reason"].as<std::string>(),
          .attempt_count = row["attempt_count"].as<int>(),
          .provider_id = row["provider_id"].as<std::string>(),
          .due_at = to_optional_time(row["due_us"]),
          .resolved_at = to_optional_time(row["resolved_us"])};
}

}  // namespace

Page<broker::MessageRecord> list_inbox(Pool& pool, broker::UserId user,
                                       const std::optional<std::string>& topic, const PageRequest& page,
                                       broker::UtcTime now) {
  const pqxx::result rows =
      ask(pool, sql::account_inbox_list, user.value, after_number(page), topic, to_us(now), page.limit + 1);
  auto cut = cut_page<broker::MessageRecord>(
      rows, page, to_message,
      [](const broker::MessageRecord& message) { return std::to_string(message.id.value); });
  const bool is_cut_by_bytes =
      !rows.empty() && rows[0]["candidates"].as<std::int64_t>() > std::int64_t(rows.size());
  if (is_cut_by_bytes && !cut.next) cut.next = std::to_string(cut.items.back().id.value);
  return cut;
}

std::optional<broker::MessageRecord> find_inbox_message(Pool& pool, broker::UserId user, broker::MessageId id,
                                                        broker::UtcTime now) {
  const pqxx::result rows = ask(pool, sql::account_inbox_find, user.value, id.value, to_us(now));
  if (rows.empty()) return std::nullopt;
  return to_message(rows[0]);
}

std::vector<broker::MessageId> acknowledge_inbox(Pool& pool, broker::UserId user,
                                                 const std::vector<broker::MessageId>& ids) {
  std::vector<std::string> texts;
  for (const broker::MessageId& id : ids) texts.push_back(std::to_string(id.value));
  return to_ids(ask(pool, sql::account_inbox_ack, user.value, array_text(texts)));
}

std::vector<broker::MessageId> acknowledge_inbox_up_to(Pool& pool, broker::UserId user,
                                                       broker::MessageId last) {
  return to_ids(ask(pool, sql::account_inbox_ack_up_to, user.value, last.value));
}

std::optional<Trace> load_trace(Pool& pool, broker::MessageId id) {
  return in_transaction(pool, [&](pqxx::work& work) -> std::optional<Trace> {
    const pqxx::result message = exec(work, sql::account_trace_message, id.value);
    if (message.empty()) return std::nullopt;
    Trace trace{message[0]["topic"].as<std::string>(), to_time(message[0]["at_us"]), {}};
    for (const pqxx::row& row : exec(work, sql::account_trace_rows, id.value))
      trace.rows.push_back(to_trace_row(row));
    return trace;
  });
}

}  // namespace wake::db
