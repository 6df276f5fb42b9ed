#include "db/commit_wills.hpp"

#include "db/append_statement.hpp"
#include "db/principal_kind.hpp"
#include "db/sql/commit.sql.hpp"

namespace wake::db {

using broker::Persist;
using pq::Column;
using pq::Oid;
using pq::Statement;

void append_wills(std::vector<Statement>& out, std::span<const Persist* const> group) {
  Column ids(Oid::Int8), nodes(Oid::Int4), clients(Oid::Text), kinds(Oid::Text), principals(Oid::Text),
      topics(Oid::Text), payloads(Oid::Bytea), qos(Oid::Int2), retain(Oid::Bool), properties(Oid::Bytea),
      delays(Oid::Int8), expiries(Oid::Int8);
  Column delayed(Oid::Int8), due_at(Oid::Timestamptz), gone(Oid::Int8);
  for (const Persist* batch : group) {
    for (const broker::WillRecord& will : batch->wills) {
      ids.add(will.id.value);
      nodes.add(static_cast<std::int32_t>(will.node));
      clients.add(will.client_id.value);
      kinds.add(text_of(will.principal.kind));
      principals.add(will.principal.id);
      topics.add(will.message.topic);
      payloads.add(will.message.payload);
      qos.add(static_cast<std::int16_t>(will.message.qos));
      retain.add(will.message.retain);
      properties.add(will.message.properties);
      delays.add(std::int64_t{will.delay_s});
      will.message_expiry_s ? expiries.add(std::int64_t{*will.message_expiry_s}) : expiries.add_null();
    }
    for (const broker::WillDue& due : batch->wills_due) {
      delayed.add(due.id.value);
      due_at.add(due.due_at);
    }
    for (const auto& id : batch->wills_gone) gone.add(id.value);
  }
  append(out, sql::store_wills, ids, nodes, clients, kinds, principals, topics, payloads, qos, retain,
         properties, delays, expiries);
  append(out, sql::delay_wills, delayed, due_at);
  append(out, sql::remove_wills, gone);
}

}  // namespace wake::db
