// What shards change of the registry, in the transaction of the commit queue (db/commit_statements.hpp):
// alerts that their phones have now, entries that their phones switched. Pure.
#pragma once

#include <span>
#include <vector>

#include "broker-core/persist.hpp"
#include "db/pq/session.hpp"

namespace wake::db {

/// Of several switches of one entry the last counts.
void append_registry(std::vector<pq::Statement>& out, std::span<const broker::Persist* const> group);

}  // namespace wake::db
