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
  std::size_t wills = 0;
};

/// Sessions and wills go to their home shards (those of bridges that are not configured any more end),
/// retained messages and users to all. `node`: our number. Before any Shard::start(). Blocks; throws what db
/// throws, and the shards are then useless.
Loaded load_into(const std::vector<Shard*>& shards, db::Connection& connection, const BridgeLogins& bridges,
                 unsigned node, broker::Now now);

}  // namespace wake::gateway
