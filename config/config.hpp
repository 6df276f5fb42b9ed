// Everything an operator may set, as the parts of the house read it. Each struct sits with the folder that
// uses it and holds its own defaults; config/load.hpp fills them from file and environment.
#pragma once

#include <string>
#include <vector>

#include "broker-core/limits.hpp"
#include "config/bridge_options.hpp"
#include "config/options.hpp"
#include "db/database_options.hpp"
#include "push/app_options.hpp"

namespace wake::config {

/// What listens when no [[listener]] is configured: MQTT and REST on all addresses. Not mqtts: that needs a
/// certificate.
inline std::vector<ListenerOptions> default_listeners() {
  ListenerOptions mqtt;
  ListenerOptions http;
  http.protocol = Protocol::Http;
  http.address = ":8080";
  return {mqtt, http};
}

struct Config {
  std::string file;  // what was read, for SIGHUP to read again; empty: defaults and environment alone
  std::vector<ListenerOptions> listeners = default_listeners();
  db::DatabaseOptions database;
  AuthOptions auth;
  broker::DeliveryOptions delivery;
  broker::Limits limits;
  RequestLimits request_limits;
  std::vector<push::AppOptions> push_apps;
  std::vector<BridgeOptions> bridges;
  ServerOptions server;
  ClusterOptions cluster;
  LogOptions log;
};

}  // namespace wake::config
