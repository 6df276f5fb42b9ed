// What PostgreSQL keeps, into the shards, before the first client is let in.
#pragma once

#include <vector>

#include "broker-core/types.hpp"
#include "db/connection_fwd.hpp"

namespace wake::gateway {

class BridgeLogins;
class Shard;

struct Loaded {
  std::size_t sessions = 0;
  std::size_t retained = 0;
  std::size_t users = 0;
};

/// Sessions go to their home shards (those of bridges that are not configured any more end), retained
/// messages and users to all. Before any Shard::start(). Blocks; throws what db throws, and the shards are
/// then useless.
Loaded load_into(const std::vector<Shard*>& shards, db::Connection& connection, const BridgeLogins& bridges,
                 broker::Now now);

}  // namespace wake::gateway
