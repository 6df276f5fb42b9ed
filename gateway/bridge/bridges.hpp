// All [[bridge]]s of the configuration, on one thread of their own. A broker that is away, stalls or sends
// garbage costs that thread a timer; this gateway's shards know a bridge as one more client. Of several
// gateways on one database one runs each bridge (db/bridge_lease.hpp); the others stand by.
#pragma once

#include <functional>
#include <map>
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
  bool is_running = false;  // here; else another gateway on this database runs it, or PostgreSQL is away
  broker::Relay::Status relay;
};

class Bridges {
 public:
  struct Surroundings {
    broker::Limits limits;
    std::string mark;          // RelayOptions::mark
    std::string database_url;  // where the gateways agree on who runs which
    /// RelayOptions::former_filters, by bridge.
    std::map<std::string, std::vector<std::string>> former_filters;
    std::function<Shard&(const broker::ClientId&)> home;  // the shard of a client id
  };
  /// `logins` outlives it. Connects each as soon as it is this gateway's to run.
  Bridges(const std::vector<config::BridgeOptions>& options, const Surroundings& surroundings,
          const BridgeLogins& logins);
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
