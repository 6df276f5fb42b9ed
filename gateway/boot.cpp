#include "gateway/boot.hpp"

#include <string>
#include <unordered_map>

#include "db/registry_store.hpp"
#include "db/session_store.hpp"
#include "db/will_store.hpp"
#include "gateway/bridge/logins.hpp"
#include "gateway/mqtt/shard.hpp"
#include "gateway/observe/log.hpp"

namespace wake::gateway {

Loaded load_into(const std::vector<Shard*>& shards, db::Connection& connection, const BridgeLogins& bridges,
                 unsigned node, broker::Now now) {
  Loaded loaded;
  db::forget_provisional(connection, node);
  std::unordered_map<std::string, db::QueueCount> queues;
  db::load_queue_counts(connection,
                        [&](const db::QueueCount& count) { queues.emplace(count.client_id.value, count); });
  db::load_sessions(connection, node, now.utc, [&](broker::SessionRecord&& record) {
    const auto queue = queues.find(record.client_id.value);
    const db::QueueCount count = queue == queues.end() ? db::QueueCount{} : queue->second;
    const unsigned home = broker::home_shard(record.client_id.value, static_cast<unsigned>(shards.size()));
    const broker::ClientId client_id = record.client_id;
    const broker::Principal principal = record.principal;
    shards[home]->broker().load_session(std::move(record), static_cast<std::uint32_t>(count.messages),
                                        static_cast<std::size_t>(count.bytes), now);
    ++loaded.sessions;
    if (!bridges.is_abandoned(client_id)) return;
    log(LogLevel::Info, "bridge.dropped", client_id.value + " is not configured any more: its session ends");
    shards[home]->broker().end_logins(principal, true, now);
  });
  db::load_retained(connection, now.utc, [&](broker::MessageRecord&& message) {
    for (Shard* const shard : shards) shard->broker().load_retained(message);
    ++loaded.retained;
  });
  db::load_all_users(connection, [&](const broker::UserRecordPtr& user) {
    for (Shard* const shard : shards) shard->broker().apply_user(user, now);
    ++loaded.users;
  });
  db::load_wills(connection, node, now.utc, [&](broker::WillRecord&& will) {
    const unsigned home = broker::home_shard(will.client_id.value, static_cast<unsigned>(shards.size()));
    shards[home]->broker().load_will(std::move(will), now);
    ++loaded.wills;
  });
  // Every shard knows what the others are interested in before any of them serves a client.
  for (unsigned from = 0; from < shards.size(); ++from) {
    for (unsigned to = 0; to < shards.size(); ++to) {
      shards[to]->broker().on_mail(from, shards[from]->broker().take_mail(to), now);
    }
  }
  return loaded;
}

}  // namespace wake::gateway
