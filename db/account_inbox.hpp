// A user's stored messages, and what became of a message (trace). Blocking, one transaction a call, throws
// StorageAway (see account_users.hpp). Any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker-core/persist.hpp"
#include "db/account_page.hpp"
#include "db/pool.hpp"

namespace wake::db {

/// A page holds 4 MiB of payload at most (one message at least). Unexpired messages, oldest id first; `after`
/// is a message id. `topic`: only this one. Ids that commit late appear behind the cursor of a reader who is
/// ahead of them: the reader keeps `after` at what it acknowledged.
Page<broker::MessageRecord> list_inbox(Pool& pool, broker::UserId user,
                                       const std::optional<std::string>& topic, const PageRequest& page,
                                       broker::UtcTime now);
std::optional<broker::MessageRecord> find_inbox_message(Pool& pool, broker::UserId user, broker::MessageId id,
                                                        broker::UtcTime now);
/// Removes them from the inbox; the queues of sessions are the shards' own. Returns those that were there.
std::vector<broker::MessageId> acknowledge_inbox(Pool& pool, broker::UserId user,
                                                 const std::vector<broker::MessageId>& ids);
std::vector<broker::MessageId> acknowledge_inbox_up_to(Pool& pool, broker::UserId user,
                                                       broker::MessageId last);

/// One receiver of a message.
struct TraceRow {
  std::string receiver;  // "session" | "inbox" | "push"
  std::string id;        // client id, user id, or the phone's id
  std::string user_id;
  std::string state;  // "waiting" | "refused" | notification state
  std::string reason;
  int attempt_count = 0;
  std::string provider_id;
  std::optional<broker::UtcTime> due_at;
  std::optional<broker::UtcTime> resolved_at;
};
struct Trace {
  std::string topic;
  broker::UtcTime at{};
  std::vector<TraceRow> rows;
};
/// Empty: no such message (any more).
std::optional<Trace> load_trace(Pool& pool, broker::MessageId id);

}  // namespace wake::db
