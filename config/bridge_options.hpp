// [[bridge]]: another broker that this gateway connects to as a client, and what is carried between the two.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "broker-core/bridge/topic.hpp"
#include "config/options.hpp"

namespace wake::config {

struct BridgeOptions {
  std::string name;
  Protocol protocol = Protocol::Mqtt;  // Mqtt or Mqtts
  std::string address;                 // "host:port" or "unix:/path"
  broker::Version version = broker::Version::V5;
  std::string client_id;            // empty: "wakemq.<name>"
  std::string username;             // empty: none
  std::string password;             // never logged
  std::string ca_file;              // PEM, trusted instead of the system's
  std::string cert_file;            // PEM, our own certificate; empty: none
  std::string key_file;             // its key
  std::vector<std::string> topics;  // broker-core/bridge/topic.hpp
  std::chrono::seconds keep_alive{60};
  bool clean_start = false;  // true: the other broker keeps nothing for us while we are away
  bool try_private = true;   // 3.1.1: the sign of a bridge in the protocol level
};

/// The topics understood. Lines that are wrong are left out: check() has told of them.
std::vector<broker::BridgeTopic> topics_of(const BridgeOptions& bridge);

}  // namespace wake::config
