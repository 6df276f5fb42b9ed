// MQTT in WebSocket frames, around plain TCP or TLS. All its state is in the object, so it moves to another
// shard like any transport. An idle one costs some 300 bytes; nothing of it grows with what a client
// declares.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/mqtt/transport.hpp"

namespace wake::gateway {

struct WebSocketRules {
  std::vector<std::string> allowed_origins;  // as in websocket::UpgradeRules
  std::uint64_t max_frame_bytes = 0;
};

/// The server's end; the upgrade is part of shaking hands. Null when `inner` is.
std::unique_ptr<Transport> make_websocket_transport(std::unique_ptr<Transport> inner,
                                                    const WebSocketRules& rules);

}  // namespace wake::gateway
