// Sessions, their queues and retained messages, read back at start and when an owner returns. They are
// written by the commit queue only. Functions take a connection of the caller's, block, and throw pqxx errors
// (see storage_away.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "broker-core/persist.hpp"
#include "db/connection_fwd.hpp"

namespace wake::db {

/// Messages that were on their way to several shards when their process ended, and were acknowledged to
/// nobody: removed with all their rows (broker-core/broker_qos2.cpp). Of our number `node` and of nodes that
/// are gone; what others have under way stays. Once, at start, before anything is loaded.
void forget_provisional(Connection& connection, unsigned node);

/// Every session with its subscriptions and what QoS 2 remembers, page by page. Before that, sessions that
/// were connected to a process of our number, or to a node that is gone, get an end: `now` + expiry. Once,
/// at start.
void load_sessions(Connection& connection, unsigned node, broker::UtcTime now,
                   const std::function<void(broker::SessionRecord&&)>& each);

/// Every retained message that has not expired. `retain` is true in each.
void load_retained(Connection& connection, broker::UtcTime now,
                   const std::function<void(broker::MessageRecord&&)>& each);

/// The oldest messages queued for a session but for `except`, in order of message id.
///   limit      rows at most
///   max_bytes  no further row once the payloads reach it; the first row always comes
/// Not a cursor: message ids of several nodes and shards may be committed out of order.
broker::QueuePage load_queue_page(Connection& connection, const broker::ClientId& client_id,
                                  const std::vector<broker::MessageId>& except, std::size_t limit,
                                  std::size_t max_bytes = 4 * 1024 * 1024);

struct QueueCount {
  broker::ClientId client_id;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;  // topic, payload, properties
};
/// What waits for each session that has a queue, for the bounds of [limits]. Reads all queues: at start only.
void load_queue_counts(Connection& connection, const std::function<void(const QueueCount&)>& each);

}  // namespace wake::db
