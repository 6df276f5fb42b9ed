// One [[push.app]] of the configuration. Defaults live here; config/keys.cpp only reads into it.
#pragma once

#include <string>

#include "broker-core/delivery/records.hpp"

namespace wake::push {

struct AppOptions {
  std::string id;  // the app id that phones register with
  broker::Platform platform = broker::Platform::Apns;
  // APNs: a key (key_file, key_id, team_id) or a certificate (cert_file, with its key in key_file).
  std::string key_file;  // .p8, PKCS#8 PEM, P-256
  std::string key_id;    // 10 characters
  std::string team_id;   // 10 characters
  std::string topic;     // the bundle id
  broker::Environment environment = broker::Environment::Production;
  std::string cert_file;
  // FCM
  std::string service_account_file;  // Google's JSON; its token_uri is asked for access tokens
  // Both
  std::string endpoint;  // "https://host:port" instead of the provider's own; empty: the provider's
  std::string ca_file;   // trusted instead of the system's roots; empty: the system's
  std::string proxy;     // "http://host:port", HTTP CONNECT; empty: none
};

}  // namespace wake::push
