// How a bridge enters its own gateway: as a client whose id begins with "bridge:", with a password that is
// made at the start and never leaves the process. Nobody else may use such an id. Its configured topics are
// its permission.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker-core/broker.hpp"
#include "config/bridge_options.hpp"
#include "gateway/auth/secret.hpp"

namespace wake::gateway {

/// Any thread: does not change.
class BridgeLogins {
 public:
  explicit BridgeLogins(const std::vector<config::BridgeOptions>& bridges);

  static broker::ClientId client_id_of(const std::string& bridge) { return {"bridge:" + bridge}; }
  const Secret& password() const { return password_; }
  /// The verdict on a client id that begins with "bridge:"; empty for any other.
  std::optional<broker::AuthOutcome> judge(const broker::Authenticate& question) const;
  /// Is it a bridge's own session? The registry knows nothing of those.
  static bool is_bridge(const broker::ClientId& client_id);
  /// A session that a bridge left which is not configured any more: nobody will ever come for it.
  bool is_abandoned(const broker::ClientId& client_id) const;

 private:
  const Secret password_;
  std::map<std::string, broker::Grants> grants_;  // by client id
};

}  // namespace wake::gateway
