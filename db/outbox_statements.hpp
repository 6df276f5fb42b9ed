// From the dispatcher's outcomes to the statements of one transaction (db/sql/outbox.sql). Pure.
#pragma once

#include <span>
#include <vector>

#include "db/pq/session.hpp"
#include "push/outbox.hpp"

namespace wake::db {

std::span<const Query* const> outbox_queries();

/// In order: final outcomes, postponed ones, proven environments, token removals. Of several outcomes of one
/// notification the last counts; its token removals all count. The rows of remove_tokens, if it is there,
/// come last.
std::vector<pq::Statement> make_outbox_statements(std::span<const push::Resolution> resolutions, int node,
                                                  broker::UtcTime now);

}  // namespace wake::db
