// The listeners of the configuration that speak MQTT (mqtt, mqtts, ws, wss), opened on every shard, and their
// certificates and rules kept up to date.
#pragma once

#include <string>
#include <vector>

#include "config/options.hpp"
#include "gateway/listen/admission.hpp"
#include "gateway/listen/listener_rules.hpp"
#include "gateway/listen/listening_socket.hpp"

namespace wake::gateway {

class Shard;

class MqttListeners {
 public:
  /// Checks what can be checked without opening anything: addresses, certificates.
  /// Throws std::runtime_error naming the listener.
  /// `max_packet_bytes`: as in [limits]; bounds WebSocket frames.
  MqttListeners(const std::vector<config::ListenerOptions>& options, std::uint32_t max_packet_bytes);

  /// Binds and hands the sockets to the shards. Throws std::runtime_error; nothing listens then. `admission`
  /// outlives the shards. Logs one line per address.
  void open(const std::vector<Shard*>& shards, Admission& admission);

  /// The certificates and rules of `options` from now on. All are read before any is used. Throws
  /// std::runtime_error: nothing changed.
  void reload(const std::vector<config::ListenerOptions>& options, const std::vector<Shard*>& shards);

 private:
  struct Listener {
    config::ListenerOptions options;
    ListenerRulesPtr rules;
  };
  ListenerRulesPtr rules_of(const config::ListenerOptions& options) const;

  std::uint32_t max_packet_bytes_;
  std::vector<Listener> listeners_;
  std::vector<SocketFile> files_;
};

}  // namespace wake::gateway
