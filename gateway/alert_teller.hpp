// Tells phones what the registry says of them: rows of `alerts` become messages on $wake/events, else pushes
// (contract §6). A row goes in the commit that brings its message to the phone, so each is told once; what a
// gateway that died was at comes with the next tell().
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker-core/broker.hpp"
#include "db/alerts.hpp"

namespace wake::db {
class Pool;
}

namespace wake::gateway {

/// The alert as a message: the event as payload; title and body of its push as wishes of its publisher.
broker::MessageRecord to_message(const db::Alert& alert);

class AlertTeller {
 public:
  struct Surroundings {
    std::function<int()> node;  // our number; negative: we have none now, and nothing is ours to tell
    /// Hands it to the phone's shard. `done` is called once, from any thread: it is stored, or it could not
    /// be.
    std::function<void(const db::Alert&, const broker::MessageRecord&, std::function<void()> done)> send;
  };
  /// Keeps the reference.
  AlertTeller(db::Pool& pool, Surroundings surroundings)
      : pool_(pool), surroundings_(std::move(surroundings)) {}

  /// What waits for the user's phones; nullopt: for anybody's. Blocks, throws StorageAway. Any thread but a
  /// shard's.
  void tell(std::optional<broker::UserId> user);

 private:
  std::vector<db::Alert> claim(std::optional<broker::UserId> user);
  void forget_done();

  db::Pool& pool_;
  const Surroundings surroundings_;
  std::mutex mutex_;  // one tell() at a time: reading the rows and noting whose message is out are one step
  std::set<broker::AlertId> telling_;
  std::mutex done_mutex_;
  std::vector<broker::AlertId> done_;  // leave telling_ before the next reading, and not during one
};

}  // namespace wake::gateway
