// The figures of /metrics: gathered from the shards by posted questions (no atomic on the hot path), from the
// commit queue, the dispatcher and the process, and written in Prometheus' text format. Names: wakemq_…,
// units in the name, _total on what only grows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "db/commit_queue.hpp"
#include "db/outbox_store.hpp"
#include "gateway/auth/webhook_status.hpp"
#include "gateway/bridge/bridges.hpp"
#include "gateway/mqtt/shard.hpp"
#include "push/dispatcher.hpp"

namespace wake::gateway {

class Node;

/// Everything as of about one moment.
struct Measurements {
  struct Node {
    std::vector<ShardSnapshot> shards;  // those that answered within a second
    db::CommitStatus commits;
    db::OutboxStore::Status outbox;
    push::DispatcherStatus push;
    std::uint64_t waiting_logins = 0;
    std::vector<BridgeStatus> bridges;
    std::uint64_t over_address_limit = 0;
    std::optional<WebhookStatus> webhook{};
  };
  std::optional<Node> node;  // empty while starting
};

/// Of those that answer within a second.
std::vector<ShardSnapshot> take_snapshots(const std::vector<Shard*>& shards);

Measurements measure(Node& node);
std::string to_prometheus(const Measurements& measurements);

}  // namespace wake::gateway
