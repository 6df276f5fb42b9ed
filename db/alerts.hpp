// What phones are still to be told by the gateway itself: rows that the change they tell of has written
// (migrations/0011), and that go in the commit which brings the message to the phone
// (Persist::alerts_told). Functions take a connection of the caller's, block, and throw pqxx errors.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker-core/types.hpp"
#include "db/connection_fwd.hpp"

namespace wake::db {

struct Alert {
  broker::AlertId id;
  broker::ClientId client_id;  // of the phone
  std::string event;           // JSON, as it will be on $wake/events
};

/// The oldest `limit` that are this node's to tell, of one user or of all: those of phones whose session it
/// has or nobody living has. From now on no other living node takes them; asked again, they come again.
std::vector<Alert> claim_alerts(Connection& connection, int node, std::optional<broker::UserId> user,
                                int limit);

}  // namespace wake::db
