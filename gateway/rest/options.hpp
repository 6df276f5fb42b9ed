// What the REST server is told at start.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "config/options.hpp"
#include "gateway/rest/code_throttle.hpp"

namespace wake::gateway {

class AddressLimit;

struct RestOptions {
  std::vector<config::ListenerOptions> listeners;  // those of protocol http and https; others are passed over
  bool self_registration = false;                  // [auth]
  std::chrono::seconds token_ttl{3600};            // [auth]
  std::chrono::seconds refresh_ttl{30 * 24 * 3600};   // [auth]
  std::uint32_t max_phones_per_user = 100;            // [limits]
  std::uint32_t max_topic_levels = 64;                // [limits]
  std::uint32_t requests_per_second = 1000;           // [limits], of one principal; 0: no limit, as the next
  std::uint32_t requests_per_second_per_address = 0;  // [limits], whoever asks
  std::uint32_t max_idempotency_keys = 10'000;        // [limits], of one principal
  std::chrono::seconds idempotency_ttl{24 * 3600};    // [limits]
  int worker_count = 8;                // threads that may block in SQL, argon2 and waits for settlement
  std::size_t max_connections = 1000;  // more are turned away with 503
  std::size_t max_payload_bytes = 1024 * 1024;  // of a published message: [limits] max_packet
  AddressLimit* addresses = nullptr;            // [limits] max_connections_per_address; null: none
  std::chrono::milliseconds read_timeout{
      30'000};  // for a request's header, for its body, and between requests
  std::chrono::milliseconds proxy_timeout{10'000};  // for a PROXY header: [limits] connect_timeout
  std::chrono::milliseconds write_timeout{30'000};  // for an answer
  std::chrono::seconds pairing_ttl{600};            // a pairing code's life, and an invitation's
  // Wrong codes, over REST and MQTT alike: copies of these options share it.
  std::shared_ptr<rest::CodeThrottle> codes = std::make_shared<rest::CodeThrottle>();

  /// A body holds at most one payload as base64 (4/3) beside 1 MiB of everything else.
  std::size_t max_body_bytes() const { return 1024 * 1024 + max_payload_bytes / 3 * 4; }
};

}  // namespace wake::gateway
