// Removes what nobody needs any more: ended sessions, expired messages, messages that nobody is owed, expired
// tokens, codes and idempotency keys. Several nodes may sweep at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "broker-core/types.hpp"
#include "db/connection_fwd.hpp"

namespace wake::db {

/// A session's end is the core's to tell (it purges); here only what a dead node left. The margin keeps a
/// sweep from racing a client that returned at the last second and whose row is not committed yet. For the
/// same reason: do not sweep while the commit queue is behind.
inline constexpr std::chrono::minutes kSessionMargin{5};
/// A message may be stored before the rows that refer to it.
inline constexpr std::chrono::minutes kUnowedMessageAge{10};
/// Final outbox rows of messages that nobody is owed are kept so long for GET /v1/messages/{id}/trace.
inline constexpr std::chrono::hours kTraceAge{24};

struct SweepResult {
  std::uint64_t sessions = 0;
  std::uint64_t expired_messages = 0;
  std::uint64_t inbox = 0;  // rows past inbox_ttl
  std::uint64_t unowed_messages = 0;
  std::uint64_t left_over_rows = 0;  // of queues: their message went as they were written
  std::uint64_t refusals = 0;        // older than the trace
  std::uint64_t access_tokens = 0;
  std::uint64_t logins = 0;
  std::uint64_t pairing_codes = 0;
  std::uint64_t idempotency_keys = 0;
  bool is_full = false;  // some slice was full: sweep again soon
};

/// Where the searches go on; each starts over after its last page.
struct SweepCursor {
  broker::MessageId after{};  // for unowed messages, by age
  struct {
    std::string client_id{};
    broker::MessageId message_id{};
  } queue{};  // for left over rows
};

/// At most `limit` rows of each kind, each kind in a transaction of its own. Blocks; throws pqxx errors.
SweepResult sweep(Connection& connection, broker::UtcTime now, int limit, SweepCursor& cursor);

}  // namespace wake::db
