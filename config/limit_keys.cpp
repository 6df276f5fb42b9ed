#include "config/limit_keys.hpp"

namespace wake::config {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;
constexpr std::int64_t kGiB = 1024 * kMiB;
constexpr std::int64_t kMaxU32 = 4'294'967'295;

const Choice<broker::QueueFull> kQueueFull{
    {{"refuse", broker::QueueFull::Refuse}, {"drop_oldest", broker::QueueFull::DropOldest}}};

}  // namespace

std::vector<Key> limit_keys() {
  using L = broker::Limits;
  return {
      {.section = "limits",
       .name = "max_packet",
       // v5 §2.1.4: the remaining length ends at 268'435'455; the fixed header is up to 5 bytes more.
       .field = field(&L::max_packet_bytes, Size{kKiB, 256 * kMiB}),
       .prose = "The largest MQTT packet, header included. Larger ones are refused before memory is taken."},
      {.section = "limits",
       .name = "max_connections",
       .field = field(&L::max_connections, Integer{1, 10'000'000}),
       .prose = "Clients at once. Each takes a file descriptor: raise `ulimit -n` along with it."},
      {.section = "limits",
       .name = "max_queued_messages",
       .field = field(&L::max_queued_messages, Integer{1, 100'000'000}),
       .prose = "Messages waiting for one session, in memory or stored."},
      {.section = "limits",
       .name = "max_queued_bytes",
       .field = field(&L::max_queued_bytes, Size{kKiB, 1024 * kGiB}),
       .prose = "The same in bytes."},
      {.section = "limits",
       .name = "max_inflight",
       .field = field(&L::max_inflight, Integer{1, 65'535}),
       .prose = "Unacknowledged QoS 1 and 2 messages towards one client; the client may ask for fewer."},
      {.section = "limits",
       .name = "queue_full",
       .field = field(&L::queue_full, kQueueFull),
       .prose = "What a session with a full queue gives up: a new message (its publisher is told when nobody "
                "else took it), or the oldest that has not left yet."},
      {.section = "limits",
       .name = "receive_maximum",
       .field = field(&L::receive_maximum, Integer{1, 65'535}),
       .prose =
           "Unacknowledged QoS 1 and 2 publishes of one client. 5.0 clients are told and held to it, 3.x "
           "clients are not read meanwhile; QoS 2 packet ids without PUBREL are never more."},
      {.section = "limits",
       .name = "max_retained_messages",
       .field = field(&L::max_retained_messages, Integer{0, 100'000'000}),
       .prose = "Retained messages in all; one more is refused (0x97) and not retained."},
      {.section = "limits",
       .name = "max_retained_bytes",
       .field = field(&L::max_retained_bytes, Size{0, 1024 * kGiB}),
       .prose = "The same in bytes. Every shard keeps them all in memory."},
      {.section = "limits",
       .name = "max_sessions_per_principal",
       .field = field(&L::max_sessions_per_principal, Integer{1, 100'000'000}),
       .prose =
           "Sessions of one account, device or key that outlive their connection. One more is refused at "
           "CONNECT (0x97; 3.x: code 3)."},
      {.section = "limits",
       .name = "max_anonymous_sessions",
       .field = field(&L::max_anonymous_sessions, Integer{0, 100'000'000}),
       .prose = "The same of all anonymous clients together."},
      {.section = "limits",
       .name = "max_phones_per_user",
       .field = field(&L::max_phones_per_user, Integer{1, 1'000'000}),
       .prose = "Phones that a user may register; one more is refused with 409 until another is removed. "
                "Each has a "
                "session and a queue."},
      {.section = "limits",
       .name = "max_session_expiry",
       .field = field(&L::max_session_expiry, Span<seconds>{seconds(0), seconds(kMaxU32 - 1)}),
       .prose =
           "The longest that a session outlives its connection; 5.0 clients are told, 3.x clients get it. "
           "0s: as the client asks, 3.x for ever. Phones' sessions last as long as their registration."},
      {.section = "limits",
       .name = "max_unstored",
       .field = field(&L::max_unstored_bytes, Size{kMiB, 1024 * kGiB}),
       .prose = "Bytes of messages and wills that wait in one shard for PostgreSQL. Beyond it publishes are "
                "refused, and connections with a will."},
      {.section = "limits",
       .name = "max_topic_levels",
       .field = field(&L::max_topic_levels, Integer{1, 256}),
       .prose = "Levels between slashes in a topic or filter."},
      {.section = "limits",
       .name = "max_subscriptions",
       .field = field(&L::max_subscriptions, Integer{1, 100'000'000}),
       .prose = "Subscriptions of one session."},
      {.section = "limits",
       .name = "max_share_members",
       .field = field(&L::max_share_members, Integer{1, 1'000'000}),
       .prose = "Sessions in one shared subscription."},
      {.section = "limits",
       .name = "max_topic_aliases",
       .field = field(&L::max_topic_aliases, Integer{0, 65'535}),
       .prose = "5.0: topics that a client may abbreviate by a number, and we towards it. 0: none."},
      {.section = "limits",
       .name = "max_keep_alive",
       .field = field(&L::max_keep_alive, Span<seconds>{seconds(0), seconds(65'535)}),
       .prose = "The longest keep-alive granted (5.0 is told, 3.x is held to it). 0s: as the client asks."},
      {.section = "limits",
       .name = "connect_timeout",
       .field = field(&L::connect_timeout, Span<milliseconds>{milliseconds(100), seconds(600)}),
       .prose = "From accepting a connection to its whole CONNECT, TLS included."},
      {.section = "limits",
       .name = "max_connections_per_address",
       .field = field(&L::max_connections_per_address, Integer{0, kMaxU32}),
       .prose = "Connections, MQTT and HTTP, from one IPv4 address or one IPv6 /64; more are closed at once. "
                "0: no "
                "limit."},
      {.section = "limits",
       .name = "connects_per_second",
       .field = field(&L::connects_per_second, Integer{1, 10'000'000}),
       .prose = "Connections admitted by the process; more wait, so that an outage ends in no storm."},
      {.section = "limits",
       .name = "publishes_per_second",
       .field = field(&L::publishes_per_second, Integer{0, kMaxU32}),
       .prose = "Of one client. 0: no limit."},
      {.section = "limits",
       .name = "pushes_per_second",
       .field = field(&L::pushes_per_second, Integer{0, kMaxU32}),
       .prose = "Notifications of one app to its provider; more wait their turn. Set it where one message "
                "wakes many "
                "phones, which then all connect at once. 0: no limit."},
      {.section = "limits",
       .name = "requests_per_second",
       .field = field(&RequestLimits::requests_per_second, Integer{0, kMaxU32}),
       .prose = "REST requests of one user, device or API key; more are refused with 429. 0: no limit."},
      {.section = "limits",
       .name = "requests_per_second_per_address",
       .field = field(&RequestLimits::requests_per_second_per_address, Integer{0, kMaxU32}),
       .prose = "The same from one address, whoever asks, before it is known who does. 0: no limit. Many "
                "users may share an "
                "address, and all do behind a proxy without proxy_protocol."},
      {.section = "limits",
       .name = "max_idempotency_keys",
       .field = field(&RequestLimits::max_idempotency_keys, Integer{1, 10'000'000}),
       .prose = "Requests with an Idempotency-Key whose answers are kept for one user, device or API key; "
                "older ones are forgotten."},
      {.section = "limits",
       .name = "idempotency_ttl",
       .field = field(&RequestLimits::idempotency_ttl, Span<seconds>{seconds(60), seconds(30 * 24 * 3600)}),
       .prose = "How long they are kept."},
  };
}

}  // namespace wake::config
