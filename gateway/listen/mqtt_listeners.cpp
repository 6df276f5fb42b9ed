#include "gateway/listen/mqtt_listeners.hpp"

#include <stdexcept>

#include "config/address.hpp"
#include "gateway/listen/listening_socket.hpp"
#include "gateway/mqtt/shard.hpp"
#include "gateway/observe/log.hpp"

namespace wake::gateway {

namespace {

/// A WebSocket frame may carry several packets, and one that is too large shall be refused by MQTT's own
/// reason: so frames get some room beyond max_packet. They are not gathered, and it costs no memory.
constexpr std::uint64_t kFrameRoom = 64 * 1024;

const char* name_of(config::Protocol protocol) {
  switch (protocol) {
    case config::Protocol::Mqtt:
      return "mqtt";
    case config::Protocol::Mqtts:
      return "mqtts";
    case config::Protocol::Ws:
      return "ws";
    case config::Protocol::Wss:
      return "wss";
    case config::Protocol::Http:
    case config::Protocol::Https:
      break;
  }
  return "";
}

bool is_websocket(config::Protocol protocol) {
  return protocol == config::Protocol::Ws || protocol == config::Protocol::Wss;
}

bool is_mqtt(config::Protocol protocol) {
  return protocol != config::Protocol::Http && protocol != config::Protocol::Https;
}

std::string key_of(const config::ListenerOptions& options) {
  return std::string(name_of(options.protocol)) + " " + options.address;
}

[[noreturn]] void refuse(const config::ListenerOptions& options, const std::string& why) {
  throw std::runtime_error("[[listener]] address = \"" + options.address + "\": " + why);
}

}  // namespace

MqttListeners::MqttListeners(const std::vector<config::ListenerOptions>& options,
                             std::uint32_t max_packet_bytes)
    : max_packet_bytes_(max_packet_bytes) {
  for (const config::ListenerOptions& one : options) {
    if (!is_mqtt(one.protocol)) continue;
    if (!config::parse_address(one.address)) refuse(one, "expected \"host:port\" or \"unix:/path\"");
    listeners_.push_back({one, rules_of(one)});
  }
}

ListenerRulesPtr MqttListeners::rules_of(const config::ListenerOptions& options) const {
  auto rules = std::make_shared<ListenerRules>();
  rules->protocol = name_of(options.protocol);
  rules->logins = logins_of(options.auth);
  rules->expects_proxy_header = options.proxy_protocol;
  try {
    if (config::is_tls(options.protocol)) rules->tls = make_tls_context(options);
  } catch (const std::runtime_error& error) {
    refuse(options, error.what());
  }
  if (is_websocket(options.protocol))
    rules->websocket =
        WebSocketRules{options.allowed_origins, 2 * std::uint64_t{max_packet_bytes_} + kFrameRoom};
  return rules;
}

void MqttListeners::open(const std::vector<Shard*>& shards, Admission& admission) {
  struct Opened {
    const Listener* listener;
    Listening listening;
  };
  std::vector<Opened> opened;
  for (const Listener& listener : listeners_) {
    for (const Endpoint& endpoint : resolve(*config::parse_address(listener.options.address))) {
      opened.push_back({&listener, listen_on(endpoint, static_cast<unsigned>(shards.size()),
                                             config::unix_mode_of(listener.options))});
    }
  }
  for (Opened& one : opened) {
    log(LogLevel::Info, "listener.open",
        one.listener->rules->protocol + " on " + local_endpoint(one.listening.sockets.front().get()).text());
    files_.push_back(std::move(one.listening.file));
    for (std::size_t k = 0; k < one.listening.sockets.size(); ++k) {
      shards[k]->open_listener(std::move(one.listening.sockets[k]), key_of(one.listener->options),
                               one.listener->rules, admission);
    }
  }
}

void MqttListeners::reload(const std::vector<config::ListenerOptions>& options,
                           const std::vector<Shard*>& shards) {
  std::vector<Listener> fresh = listeners_;
  for (Listener& listener : fresh) {
    for (const config::ListenerOptions& one : options) {
      if (one.protocol != listener.options.protocol || one.address != listener.options.address) continue;
      config::ListenerOptions wanted = one;
      wanted.proxy_protocol = listener.options.proxy_protocol;  // changes with the proxy, by a restart
      listener = {wanted, rules_of(wanted)};
    }
  }
  listeners_ = std::move(fresh);
  for (const Listener& listener : listeners_) {
    for (Shard* const shard : shards) shard->reload_listener(key_of(listener.options), listener.rules);
  }
}

}  // namespace wake::gateway
