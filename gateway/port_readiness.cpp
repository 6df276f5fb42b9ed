#include "gateway/port_readiness.hpp"

#include "gateway/auth/authenticator.hpp"
#include "gateway/node.hpp"

namespace wake::gateway {

Readiness::Part postgresql_part(const db::CommitStatus& status) {
  if (status.is_connected) return {"postgresql", true, {}};
  std::string detail = "not connected: acknowledgements wait, " + std::to_string(status.pending_batches) +
                       " batches in memory; start PostgreSQL or correct database.url";
  if (!status.last_error.empty()) detail += "; " + status.last_error;
  return {"postgresql", false, detail};
}

std::string part_name(const push::ChannelKey& key) {
  if (key.platform == broker::Platform::Fcm) return "push:" + key.app_id + "/fcm";
  const bool is_production = key.environment == broker::Environment::Production;
  return "push:" + key.app_id + "/apns/" + (is_production ? "production" : "sandbox");
}

Readiness::Part channel_part(const push::ChannelStatus& channel) {
  return {part_name(channel.key), channel.is_ready, channel.detail};
}

Readiness::Part bridge_part(const BridgeStatus& bridge) {
  std::string detail;
  if (!bridge.is_running) {
    detail = "not connected: another gateway on this database runs it, or PostgreSQL is away";
  } else if (!bridge.relay.is_connected) {
    detail = "not connected: " + bridge.relay.trouble;
  }
  return {"bridge:" + bridge.name, true, detail};
}

Readiness::Part webhook_part(const WebhookStatus& status) {
  if (status.trouble.empty()) return {"webhook", true, {}};
  return {"webhook", true, "log-ins that need the back end are refused: " + status.trouble};
}

Readiness readiness_of(Node& node) {
  Readiness readiness;
  readiness.parts.push_back(postgresql_part(node.commit_status()));
  const db::OutboxStore::Status outbox = node.outbox_status();
  readiness.parts.push_back(
      {"outbox", outbox.is_connected || outbox.pending == 0,
       outbox.is_connected || outbox.pending == 0
           ? std::string()
           : std::to_string(outbox.pending) + " outcomes wait for PostgreSQL; " + outbox.last_error});
  for (const push::ChannelStatus& channel : node.dispatcher().status().channels) {
    readiness.parts.push_back(channel_part(channel));
  }
  if (const auto webhook = node.authenticator().webhook_status())
    readiness.parts.push_back(webhook_part(*webhook));
  for (const BridgeStatus& bridge : node.bridges().status()) readiness.parts.push_back(bridge_part(bridge));
  return readiness;
}

}  // namespace wake::gateway
