// What /readyz says of a running node: a pure reading of statuses.
#pragma once

#include "db/commit_queue.hpp"
#include "gateway/auth/webhook_status.hpp"
#include "gateway/bridge/bridges.hpp"
#include "gateway/port.hpp"
#include "push/dispatch_machine.hpp"

namespace wake::gateway {

class Node;

Readiness readiness_of(Node& node);

Readiness::Part postgresql_part(const db::CommitStatus& status);
/// Ready in any case: a broker elsewhere that is down is no reason to take this one out of service.
Readiness::Part bridge_part(const BridgeStatus& bridge);
/// Ready in any case: whoever has a password, a token or a key here is let in without the back end.
Readiness::Part webhook_part(const WebhookStatus& status);
/// "push:com.example.cam/apns/production", "push:com.example.cam/fcm".
std::string part_name(const push::ChannelKey& key);
Readiness::Part channel_part(const push::ChannelStatus& channel);

}  // namespace wake::gateway
