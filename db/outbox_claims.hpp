// Taking notifications out of the outbox: after a restart, for a dead node, when a retry's time has come
// while nobody held it. Functions take a connection of the caller's, block, and throw pqxx errors (see
// storage_away.hpp).
#pragma once

#include <string>
#include <vector>

#include "db/connection_fwd.hpp"
#include "db/registry_store.hpp"
#include "push/notification.hpp"

namespace wake::db {

/// Gives back what this number's last holder had in memory when it died. Call it once, after the node lease
/// was taken and before the first message is accepted.
void release_claims(Connection& connection, int node);

/// Claims pending notifications that are due, oldest first, at most `limit`: unclaimed ones, those whose
/// lease is over, those of a node that is gone. They are ours until now + 60 s. Rows whose phone has no token
/// are failed on the way. Two nodes that claim at once never get the same row. Our own rows whose lease ran
/// out come too: the dispatcher may have them still.
std::vector<push::Notification> claim(Connection& connection, int node, broker::UtcTime now, int limit,
                                      const OnBadPolicy& bad = {});

/// Alerts that claim() will return sooner or later, at most `limit`, the latest of them: for
/// push::Dispatcher::expect().
std::vector<push::WaitingAlert> load_waiting_alerts(Connection& connection, int node, int limit);

}  // namespace wake::db
