// What every connection of one listener is given. Immutable, shared by all shards; a reload makes a new one,
// and connections that exist keep what they have.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gateway/auth/logins.hpp"
#include "gateway/listen/tls_context.hpp"
#include "gateway/mqtt/websocket_transport.hpp"

namespace wake::gateway {

struct ListenerRules {
  std::string protocol;  // as in [[listener]]
  Logins logins = 0;
  bool expects_proxy_header = false;
  TlsContextPtr tls;                        // empty: without TLS
  std::optional<WebSocketRules> websocket;  // empty: MQTT directly
};
using ListenerRulesPtr = std::shared_ptr<const ListenerRules>;

}  // namespace wake::gateway
