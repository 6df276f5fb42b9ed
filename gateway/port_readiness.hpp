// What /readyz says of a running node: a pure reading of statuses.
#pragma once

#include "db/commit_queue.hpp"
#include "gateway/port.hpp"
#include "push/dispatch_machine.hpp"

namespace wake::gateway {

class Node;

Readiness readiness_of(Node& node);

Readiness::Part postgresql_part(const db::CommitStatus& status);
Readiness::Part channel_part(const push::ChannelStatus& channel);

}  // namespace wake::gateway
