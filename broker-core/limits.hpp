// [limits] and [delivery] of the configuration: every bound that a client can meet, with its default.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace wake::broker {

struct Limits {
  std::uint32_t max_packet_bytes = 1024 * 1024;     // whole packet, fixed header included
  std::uint32_t max_connections = 100'000;          // of the process
  std::uint32_t max_queued_messages = 10'000;       // per session, in memory or stored
  std::size_t max_queued_bytes = 64 * 1024 * 1024;  // per session
  std::uint16_t max_inflight = 100;                 // unacknowledged QoS 1 and 2 messages towards one client
  std::uint32_t max_topic_levels = 64;
  std::chrono::milliseconds connect_timeout{10'000};  // from accept to a whole CONNECT
  std::uint32_t connects_per_second = 2'000;          // of the process
  std::uint32_t max_connections_per_address = 0;      // of one host; 0: no limit
  std::uint32_t publishes_per_second = 0;             // per client; 0: no limit
  std::uint32_t max_subscriptions = 10'000;           // per session
  std::uint16_t max_topic_aliases = 32;               // of one client, in each direction
  std::chrono::seconds max_keep_alive{0};             // 0: as the client asks
};

struct DeliveryOptions {
  std::chrono::milliseconds ack_timeout{10'000};
  std::chrono::seconds inbox_ttl{7 * 24 * 3600};
  std::chrono::milliseconds commit_window{2};
};

}  // namespace wake::broker
