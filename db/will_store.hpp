// Wills that are owed from before the start (broker-core/broker_will.cpp). They are written by the commit
// queue only.
#pragma once

#include <functional>

#include "broker-core/persist.hpp"
#include "db/connection_fwd.hpp"

namespace wake::db {

/// Every will of node `node`, which must be ours (node_lease.hpp), and of nodes that are dead, which become
/// ours; in order of id, page by page. Wills with a delay whose clients were connected get their moment:
/// `now` + delay. Once, at start, after load_sessions(). Blocks; throws pqxx errors.
void load_wills(Connection& connection, unsigned node, broker::UtcTime now,
                const std::function<void(broker::WillRecord&&)>& each);

}  // namespace wake::db
