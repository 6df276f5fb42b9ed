// [limits] and [delivery] of the configuration: every bound that a client can meet, with its default.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace wake::broker {

/// What a session's full queue gives up (contract §2.1): the new message, which its publisher hears of when
/// nobody else took it, or the oldest that has not left yet.
enum class QueueFull : std::uint8_t { Refuse, DropOldest };

struct Limits {
  std::uint32_t max_packet_bytes = 1024 * 1024;     // whole packet, fixed header included
  std::uint32_t max_connections = 100'000;          // of the process
  std::uint32_t max_queued_messages = 10'000;       // per session, in memory or stored
  std::size_t max_queued_bytes = 64 * 1024 * 1024;  // per session
  std::uint16_t max_inflight = 100;                 // unacknowledged QoS 1 and 2 messages towards one client
  std::uint16_t receive_maximum = 1000;             // unacknowledged QoS 1 and 2 publishes of one client
  std::uint32_t max_topic_levels = 64;
  std::chrono::milliseconds connect_timeout{10'000};  // from accept to a whole CONNECT
  std::uint32_t connects_per_second = 2'000;          // of the process
  std::uint32_t max_connections_per_address = 0;      // of one host; 0: no limit
  std::uint32_t pushes_per_second = 0;                // of one app at one provider; 0: no limit
  std::uint32_t publishes_per_second = 0;             // per client; 0: no limit
  std::uint32_t max_subscriptions = 10'000;           // per session
  std::uint32_t max_share_members = 10'000;           // of one shared subscription
  std::uint16_t max_topic_aliases = 32;               // of one client, in each direction
  std::chrono::seconds max_keep_alive{0};             // 0: as the client asks
  QueueFull queue_full = QueueFull::Refuse;
  std::uint32_t max_retained_messages = 1'000'000;
  std::size_t max_retained_bytes = 1024 * 1024 * 1024;  // topics, payloads, properties; every shard has all
  std::uint32_t max_sessions_per_principal = 1'000;     // durable ones
  std::uint32_t max_anonymous_sessions = 100'000;       // durable ones, of all anonymous clients
  std::uint32_t max_phones_per_user = 100;              // registered over REST
  std::chrono::seconds max_session_expiry{0};           // 0: as the client asks, 3.x never
  std::size_t max_unstored_bytes = 256 * 1024 * 1024;   // of one shard, on their way to storage
};

struct DeliveryOptions {
  std::chrono::milliseconds ack_timeout{10'000};
  std::chrono::seconds inbox_ttl{7 * 24 * 3600};
  std::chrono::milliseconds commit_window{2};
};

}  // namespace wake::broker
