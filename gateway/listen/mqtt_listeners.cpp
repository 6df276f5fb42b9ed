#include "gateway/listen/mqtt_listeners.hpp"

#include <stdexcept>

#include "config/address.hpp"
#include "gateway/listen/listening_socket.hpp"
#include "gateway/mqtt/shard.hpp"
#include "gateway/observe/log.hpp"

namespace wake::gateway {

namespace {

const char* name_of(config::Protocol protocol) {
  return protocol == config::Protocol::Mqtts ? "mqtts" : "mqtt";
}

std::string key_of(const config::ListenerOptions& options) {
  return std::string(name_of(options.protocol)) + " " + options.address;
}

TlsContextPtr context_of(const config::ListenerOptions& options) {
  return config::is_tls(options.protocol) ? make_tls_context(options) : nullptr;
}

[[noreturn]] void refuse(const config::ListenerOptions& options, const std::string& why) {
  throw std::runtime_error("[[listener]] address = \"" + options.address + "\": " + why);
}

bool is_mqtt(const config::ListenerOptions& options) {
  switch (options.protocol) {
    case config::Protocol::Mqtt:
    case config::Protocol::Mqtts:
      return true;
    case config::Protocol::Ws:
    case config::Protocol::Wss:
      refuse(options, "MQTT over WebSocket is not served by this version; use mqtt or mqtts");
    case config::Protocol::Http:
    case config::Protocol::Https:
      return false;
  }
  return false;
}

}  // namespace

MqttListeners::MqttListeners(std::vector<config::ListenerOptions> options) {
  for (config::ListenerOptions& one : options) {
    if (!is_mqtt(one)) continue;
    if (one.proxy_protocol) refuse(one, "proxy_protocol is not served by this version");
    if (!config::parse_address(one.address)) refuse(one, "expected \"host:port\" or \"unix:/path\"");
    try {
      listeners_.push_back({one, context_of(one)});
    } catch (const std::runtime_error& error) {
      refuse(one, error.what());
    }
  }
}

void MqttListeners::open(const std::vector<Shard*>& shards, Admission& admission) {
  struct Opened {
    const Listener* listener;
    std::vector<FileDescriptor> sockets;
  };
  std::vector<Opened> opened;
  for (const Listener& listener : listeners_) {
    for (const Endpoint& endpoint : resolve(*config::parse_address(listener.options.address))) {
      opened.push_back({&listener, listen_on(endpoint, static_cast<unsigned>(shards.size()))});
    }
  }
  for (Opened& one : opened) {
    const char* const protocol = name_of(one.listener->options.protocol);
    log(LogLevel::Info, "listener.open",
        std::string(protocol) + " on " + local_endpoint(one.sockets.front().get()).text());
    for (std::size_t k = 0; k < one.sockets.size(); ++k) {
      shards[k]->open_listener(std::move(one.sockets[k]), key_of(one.listener->options), protocol,
                               one.listener->context, admission);
    }
  }
}

void MqttListeners::reload(const std::vector<config::ListenerOptions>& options,
                           const std::vector<Shard*>& shards) {
  std::vector<Listener> fresh = listeners_;
  for (Listener& listener : fresh) {
    for (const config::ListenerOptions& one : options) {
      if (one.protocol != listener.options.protocol || one.address != listener.options.address) continue;
      try {
        listener = {one, context_of(one)};
      } catch (const std::runtime_error& error) {
        refuse(one, error.what());
      }
    }
  }
  listeners_ = std::move(fresh);
  for (const Listener& listener : listeners_) {
    for (Shard* const shard : shards) shard->reload_listener(key_of(listener.options), listener.context);
  }
}

}  // namespace wake::gateway
