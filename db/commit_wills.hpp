// Wills in the transaction of the commit queue: its last statements (db/commit_statements.hpp). Pure.
#pragma once

#include <span>
#include <vector>

#include "broker-core/persist.hpp"
#include "db/pq/session.hpp"

namespace wake::db {

/// An id is stored once, delayed later and removed last, whatever batches say it: so the order of the
/// statements is right for a group, too.
void append_wills(std::vector<pq::Statement>& out, std::span<const broker::Persist* const> group);

}  // namespace wake::db
