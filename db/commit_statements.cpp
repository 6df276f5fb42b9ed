#include "db/commit_statements.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "db/append_statement.hpp"
#include "db/commit_registry.hpp"
#include "db/commit_wills.hpp"
#include "db/pq/params.hpp"
#include "db/principal_kind.hpp"
#include "db/sql/commit.sql.hpp"

namespace wake::db {
namespace {

using broker::MessageRecord;
using broker::Persist;
using broker::SessionChange;
using pq::Column;
using pq::Oid;
using pq::Statement;
using Group = std::span<const Persist* const>;

constexpr const Query* kQueries[] = {
    &sql::purge_sessions,
    &sql::store_sessions,
    &sql::remove_subscriptions,
    &sql::store_subscriptions,
    &sql::store_messages,
    &sql::store_provisional,
    &sql::finalize,
    &sql::lock_sessions,
    &sql::store_queue,
    &sql::start_queue,
    &sql::remove_receipts,
    &sql::store_receipts,
    &sql::store_inbox,
    &sql::store_outbox,
    &sql::remove_acknowledged,
    &sql::trim_queues,
    &sql::cancel_notifications,
    &sql::store_refusals,
    &sql::clear_retained,
    &sql::store_retained,
    &sql::store_wills,
    &sql::delay_wills,
    &sql::remove_wills,
    &sql::remove_alerts,
    &sql::switch_entries,
};

std::int16_t number(broker::Qos qos) { return static_cast<std::int16_t>(qos); }

void append_sessions(std::vector<Statement>& out, Group group, const CommitContext& context) {
  std::map<std::string_view, const SessionChange*> stored;
  Column purged(Oid::Text);
  for (const Persist* batch : group) {
    for (const auto& [client_id, change] : batch->sessions) {
      if (change.purge) {
        purged.add(client_id);
        stored.erase(client_id);
      }
      if (change.store) stored[client_id] = &change;
    }
  }
  Column client_ids(Oid::Text), kinds(Oid::Text), ids(Oid::Text), expiries(Oid::Int8), ends(Oid::Timestamptz);
  for (const auto& [client_id, change] : stored) {
    client_ids.add(client_id);
    kinds.add(text_of(change->row.principal.kind));
    ids.add(change->row.principal.id);
    expiries.add(std::int64_t{change->row.expiry_s});
    change->row.ends_at == broker::kNever ? ends.add_null() : ends.add(change->row.ends_at);
  }
  append(out, sql::purge_sessions, purged);
  if (client_ids.size() == 0) return;
  append(out, sql::store_sessions, client_ids, kinds, ids, expiries, ends);
  out.back().parameters.push_back(pq::encode(std::int32_t{std::max(context.node, -1)}));
}

using SubscriptionKey = std::pair<std::string_view, std::string_view>;  // client id, filter
using SubscriptionChanges = std::map<SubscriptionKey, const SessionChange::SubscriptionChange*>;

SubscriptionChanges last_subscription_changes(Group group) {
  SubscriptionChanges last;
  for (const Persist* batch : group) {
    for (const auto& [client_id, session] : batch->sessions) {
      for (const auto& change : session.subscriptions) {
        // The key's text must be the kept change's own.
        const SubscriptionKey key{client_id, change.subscription.filter};
        last.erase(key);
        last.emplace(key, &change);
      }
    }
  }
  return last;
}

void append_subscriptions(std::vector<Statement>& out, Group group) {
  Column gone_clients(Oid::Text), gone_filters(Oid::Text);
  Column clients(Oid::Text), filters(Oid::Text), qos(Oid::Int2), no_local(Oid::Bool), as_published(Oid::Bool),
      handling(Oid::Int2), ids(Oid::Int8);
  for (const auto& [key, change] : last_subscription_changes(group)) {
    if (change->remove) {
      gone_clients.add(key.first);
      gone_filters.add(key.second);
      continue;
    }
    const auto& subscription = change->subscription;
    clients.add(key.first);
    filters.add(key.second);
    qos.add(number(subscription.qos));
    no_local.add(subscription.no_local);
    as_published.add(subscription.retain_as_published);
    handling.add(static_cast<std::int16_t>(subscription.retain_handling));
    ids.add(std::int64_t{subscription.subscription_id});
  }
  append(out, sql::remove_subscriptions, gone_clients, gone_filters);
  append(out, sql::store_subscriptions, clients, filters, qos, no_local, as_published, handling, ids);
}

/// In order of id and each once: two nodes that store the same messages then never wait for each other in a
/// circle.
std::vector<const MessageRecord*> distinct_messages(Group group) {
  std::vector<const MessageRecord*> messages;
  for (const Persist* batch : group) {
    for (const MessageRecord& message : batch->messages) messages.push_back(&message);
  }
  std::sort(messages.begin(), messages.end(), [](auto* a, auto* b) { return a->id < b->id; });
  const auto same = [](auto* a, auto* b) { return a->id == b->id; };
  messages.erase(std::unique(messages.begin(), messages.end(), same), messages.end());
  return messages;
}

void append_messages(std::vector<Statement>& out, Group group) {
  Column ids(Oid::Int8), topics(Oid::Text), payloads(Oid::Bytea), qos(Oid::Int2), retain(Oid::Bool),
      properties(Oid::Bytea), publishers(Oid::Text), at(Oid::Timestamptz), expires_at(Oid::Timestamptz);
  for (const MessageRecord* message : distinct_messages(group)) {
    ids.add(message->id.value);
    topics.add(message->topic);
    payloads.add(message->payload);
    qos.add(number(message->qos));
    retain.add(message->retain);
    properties.add(message->properties);
    publishers.add(message->publisher.value);
    at.add(message->at);
    expires_at.add(message->expires_at);
  }
  append(out, sql::store_messages, ids, topics, payloads, qos, retain, properties, publishers, at,
         expires_at);
}

/// Each once.
Column owners_of_queues(Group group) {
  std::unordered_set<std::string_view> owners;
  for (const Persist* batch : group) {
    for (const auto& row : batch->queue) owners.insert(row.client_id.value);
  }
  Column column(Oid::Text);
  for (const std::string_view owner : owners) column.add(owner);
  return column;
}

void append_queue(std::vector<Statement>& out, Group group) {
  Column owners = owners_of_queues(group);
  Column clients(Oid::Text), messages(Oid::Int8), qos(Oid::Int2), retain(Oid::Bool), subscriptions(Oid::Int8),
      packet_ids(Oid::Int4);
  for (const Persist* batch : group) {
    for (const auto& row : batch->queue) {
      clients.add(row.client_id.value);
      messages.add(row.message_id.value);
      qos.add(number(row.qos));
      retain.add(row.retain);
      subscriptions.add(std::int64_t{row.subscription_id});
      packet_ids.add(std::int32_t{row.packet_id.value});
    }
  }
  append(out, sql::lock_sessions, owners);
  append(out, sql::store_queue, clients, messages, qos, retain, subscriptions, packet_ids);
}

/// A provisional message and its end are never in one transaction: the end waits for the commit of the parts.
void append_provisional(std::vector<Statement>& out, Group group) {
  Column provisional(Oid::Int8), finalized(Oid::Int8);
  for (const Persist* batch : group) {
    for (const auto& id : batch->provisional) provisional.add(id.value);
    for (const auto& id : batch->finalized) finalized.add(id.value);
  }
  append(out, sql::store_provisional, provisional);
  append(out, sql::finalize, finalized);
}

void append_started(std::vector<Statement>& out, Group group) {
  Column clients(Oid::Text), messages(Oid::Int8), packet_ids(Oid::Int4), received(Oid::Bool);
  for (const Persist* batch : group) {
    for (const auto& start : batch->started) {
      clients.add(start.client_id.value);
      messages.add(start.message_id.value);
      packet_ids.add(std::int32_t{start.packet_id.value});
      received.add(start.is_received);
    }
  }
  append(out, sql::start_queue, clients, messages, packet_ids, received);
}

void append_receipts(std::vector<Statement>& out, Group group) {
  Column gone_clients(Oid::Text), gone_ids(Oid::Int4), clients(Oid::Text), ids(Oid::Int4);
  for (const Persist* batch : group) {
    for (const auto& receipt : batch->receipts) {
      (receipt.remove ? gone_clients : clients).add(receipt.client_id.value);
      (receipt.remove ? gone_ids : ids).add(std::int32_t{receipt.packet_id.value});
    }
  }
  append(out, sql::remove_receipts, gone_clients, gone_ids);
  append(out, sql::store_receipts, clients, ids);
}

void append_inbox(std::vector<Statement>& out, Group group) {
  Column users(Oid::Int8), messages(Oid::Int8), entries(Oid::Int8), expires_at(Oid::Timestamptz);
  for (const Persist* batch : group) {
    for (const auto& row : batch->inbox) {
      users.add(row.user_id.value);
      messages.add(row.message_id.value);
      entries.add(row.entry_id.value);
      expires_at.add(row.expires_at);
    }
  }
  append(out, sql::store_inbox, users, messages, entries, expires_at);
}

void append_outbox(std::vector<Statement>& out, Group group, const CommitContext& context) {
  Column messages(Oid::Int8), phones(Oid::Int8), entries(Oid::Int8), reasons(Oid::Text),
      due_at(Oid::Timestamptz), expires_at(Oid::Timestamptz);
  for (const Persist* batch : group) {
    for (const auto& row : batch->outbox) {
      messages.add(row.message_id.value);
      phones.add(row.phone_id.value);
      entries.add(row.entry_id.value);
      reasons.add(row.reason);
      due_at.add(row.due_at);
      expires_at.add(row.expires_at);
    }
  }
  if (messages.size() == 0) return;
  append(out, sql::store_outbox, messages, phones, entries, reasons, due_at, expires_at);
  out.back().parameters.push_back(pq::encode(std::int32_t{std::max(context.node, -1)}));
  out.back().parameters.push_back(pq::encode(context.now));
}

void append_trims(std::vector<Statement>& out, Group group) {
  Column clients(Oid::Text), up_to(Oid::Int8), keep(Oid::Int8);
  for (const Persist* batch : group) {
    for (const auto& trim : batch->trims) {
      clients.add(trim.client_id.value);
      up_to.add(trim.up_to.value);
      keep.add(std::int64_t{trim.keep});
    }
  }
  append(out, sql::trim_queues, clients, up_to, keep);
}

void append_removals(std::vector<Statement>& out, Group group, const CommitContext& context) {
  Column clients(Oid::Text), acknowledged(Oid::Int8);
  Column messages(Oid::Int8), phones(Oid::Int8), reasons(Oid::Text);
  for (const Persist* batch : group) {
    for (const auto& key : batch->acknowledged) {
      clients.add(key.client_id.value);
      acknowledged.add(key.message_id.value);
    }
    for (const auto& cancel : batch->cancelled) {
      messages.add(cancel.message_id.value);
      phones.add(cancel.phone_id.value);
      reasons.add(cancel.reason);
    }
  }
  append(out, sql::remove_acknowledged, clients, acknowledged);
  if (messages.size() == 0) return;
  append(out, sql::cancel_notifications, messages, phones, reasons);
  out.back().parameters.push_back(pq::encode(context.now));
}

void append_refusals(std::vector<Statement>& out, Group group) {
  Column messages(Oid::Int8), clients(Oid::Text), topics(Oid::Text), at(Oid::Timestamptz);
  for (const Persist* batch : group) {
    for (const auto& refusal : batch->refused) {
      messages.add(refusal.message_id.value);
      clients.add(refusal.client_id.value);
      topics.add(refusal.topic);
      at.add(refusal.at);
    }
  }
  append(out, sql::store_refusals, messages, clients, topics, at);
}

/// The newest change of each topic by message id; of two with one id, the later.
std::map<std::string_view, const broker::RetainedChange*> newest_retained(Group group) {
  std::map<std::string_view, const broker::RetainedChange*> newest;
  for (const Persist* batch : group) {
    for (const auto& change : batch->retained) {
      const auto [at, is_new] = newest.emplace(change.message.topic, &change);
      if (!is_new && at->second->message.id <= change.message.id) at->second = &change;
    }
  }
  return newest;
}

void append_retained(std::vector<Statement>& out, Group group) {
  Column gone_topics(Oid::Text), gone_ids(Oid::Int8);
  Column topics(Oid::Text), ids(Oid::Int8), payloads(Oid::Bytea), qos(Oid::Int2), properties(Oid::Bytea),
      publishers(Oid::Text), at(Oid::Timestamptz), expires_at(Oid::Timestamptz);
  for (const auto& [topic, change] : newest_retained(group)) {
    const MessageRecord& message = change->message;
    if (change->clear) {
      gone_topics.add(topic);
      gone_ids.add(message.id.value);
      continue;
    }
    topics.add(topic);
    ids.add(message.id.value);
    payloads.add(message.payload);
    qos.add(number(message.qos));
    properties.add(message.properties);
    publishers.add(message.publisher.value);
    at.add(message.at);
    expires_at.add(message.expires_at);
  }
  append(out, sql::clear_retained, gone_topics, gone_ids);
  append(out, sql::store_retained, topics, ids, payloads, qos, properties, publishers, at, expires_at);
}

}  // namespace

std::span<const Query* const> commit_queries() { return kQueries; }

bool CommitGroup::try_add(const Persist& batch) {
  if (!batches_.empty() && purges_what_is_touched(batch)) return false;
  batches_.push_back(&batch);
  return true;
}

bool CommitGroup::purges_what_is_touched(const Persist& batch) {
  for (const auto& [client_id, change] : batch.sessions) {
    if (!change.purge) continue;
    index_new_batches();
    if (touched_.contains(client_id)) return true;
  }
  return false;
}

void CommitGroup::index_new_batches() {
  for (; indexed_ < batches_.size(); ++indexed_) {
    for (const auto& [client_id, change] : batches_[indexed_]->sessions) touched_.insert(client_id);
    for (const auto& row : batches_[indexed_]->queue) touched_.insert(row.client_id.value);
    for (const auto& row : batches_[indexed_]->receipts) touched_.insert(row.client_id.value);
  }
}

std::vector<Statement> make_commit_statements(const CommitGroup& whole, const CommitContext& context) {
  const Group group = whole.batches();
  std::vector<Statement> out;
  append_sessions(out, group, context);
  append_subscriptions(out, group);
  append_messages(out, group);
  append_provisional(out, group);
  append_queue(out, group);
  append_started(out, group);
  append_receipts(out, group);
  append_inbox(out, group);
  append_outbox(out, group, context);
  append_removals(out, group, context);
  append_trims(out, group);
  append_refusals(out, group);
  append_retained(out, group);
  append_wills(out, group);
  append_registry(out, group);
  return out;
}

}  // namespace wake::db
