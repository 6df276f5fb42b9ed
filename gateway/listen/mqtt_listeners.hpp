// The mqtt and mqtts listeners of the configuration, opened on every shard, and their certificates kept up to
// date.
#pragma once

#include <string>
#include <vector>

#include "config/options.hpp"
#include "gateway/listen/admission.hpp"
#include "gateway/listen/tls_context.hpp"

namespace wake::gateway {

class Shard;

class MqttListeners {
 public:
  /// Checks what can be checked without opening anything: addresses, certificates, kinds not served yet.
  /// Throws std::runtime_error naming the listener.
  explicit MqttListeners(std::vector<config::ListenerOptions> options);

  /// Binds and hands the sockets to the shards. Throws std::runtime_error; nothing listens then. `admission`
  /// outlives the shards. Logs one line per address.
  void open(const std::vector<Shard*>& shards, Admission& admission);

  /// The certificates of `options` from now on. All are read before any is used. Throws std::runtime_error:
  /// nothing changed.
  void reload(const std::vector<config::ListenerOptions>& options, const std::vector<Shard*>& shards);

 private:
  struct Listener {
    config::ListenerOptions options;
    TlsContextPtr context;
  };
  std::vector<Listener> listeners_;
};

}  // namespace wake::gateway
