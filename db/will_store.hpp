// Wills of gateways that are gone (broker-core/broker_will.cpp): at a start, and while others live on. They
// are written by the commit queue only.
#pragma once

#include <functional>
#include <vector>

#include "broker-core/persist.hpp"
#include "db/connection_fwd.hpp"

namespace wake::db {

/// Every will of node `node`, which must be ours (node_lease.hpp), and of nodes that are dead, which become
/// ours; in order of id, page by page. Wills with a delay whose clients were connected get their moment:
/// `now` + delay. Once, at start, after load_sessions(). Blocks; throws pqxx errors.
void load_wills(Connection& connection, unsigned node, broker::UtcTime now,
                const std::function<void(broker::WillRecord&&)>& each);

/// Numbers that no node holds at this moment (node_lease.hpp), and that left wills. Cheap: asked every
/// second. A node that is about to come back to PostgreSQL may be among them. Blocks; throws pqxx errors.
std::vector<int> vacant_numbers(Connection& connection);

/// The wills of the dead node `from` that are due become `node`'s, which must be ours; `limit` of them at
/// most, in order of id. Delays of clients that were connected count from the first call. Those whose clients
/// have a session at a living node again are forgotten. None when `from` lives again; each will goes to one
/// caller only, whoever calls at once, a start (load_wills) included. Blocks; throws pqxx errors.
std::vector<broker::WillRecord> inherit_wills(Connection& connection, int from, unsigned node,
                                              broker::UtcTime now, int limit);

}  // namespace wake::db
