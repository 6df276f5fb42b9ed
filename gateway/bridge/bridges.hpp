// All [[bridge]]s of the configuration, on one thread of their own. A broker that is away, stalls or sends
// garbage costs that thread a timer; this gateway's shards know a bridge as one more client.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "broker-core/bridge/relay.hpp"
#include "broker-core/limits.hpp"
#include "config/bridge_options.hpp"
#include "gateway/bridge/logins.hpp"

namespace wake::gateway {

class Shard;

struct BridgeStatus {
  std::string name;
  std::string address;
  broker::Relay::Status relay;
};

class Bridges {
 public:
  /// `home` names the shard of a client id. `mark`: RelayOptions::mark. `logins` outlives it. Starts
  /// connecting.
  Bridges(const std::vector<config::BridgeOptions>& options, const broker::Limits& limits,
          const std::string& mark, const BridgeLogins& logins,
          const std::function<Shard&(const broker::ClientId&)>& home);
  /// stop().
  ~Bridges();
  Bridges(const Bridges&) = delete;
  Bridges& operator=(const Bridges&) = delete;

  // ---- any thread
  /// Of each, in the order of the configuration; empty when the thread does not answer within a second.
  std::vector<BridgeStatus> status();
  /// SIGHUP: credentials and certificates by name, from the next connection on.
  void reload(const std::vector<config::BridgeOptions>& options);
  /// DISCONNECT on all sides; what is not acknowledged waits in the sessions. Within three seconds.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wake::gateway
