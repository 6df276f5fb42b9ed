// The outbox in PostgreSQL: outcomes of the push dispatcher, written in batches by a thread and a connection
// of its own. Why not the commit queue's: removing a token locks a phone's row, which REST may hold; no
// PUBACK waits for that.
//
// A row is born claimed by the node that wrote it (commit queue), for 60 s beyond its due time; RetryAt
// renews that. Another node may claim it when the lease is over or when the claimer's node number is held by
// nobody (node_lease.hpp).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker-core/types.hpp"
#include "push/log.hpp"
#include "push/outbox.hpp"

namespace wake::db {

/// A token that was really removed, and who is to be told (contract §2.7: push_token_removed).
struct TokenRemoved {
  broker::PhoneId phone_id;
  std::string name;  // the app's own word for it: phones.phone_id
  broker::UserId user_id;
  std::vector<broker::ClientId> client_ids;  // of all the user's phones
};

struct OutboxStoreOptions {
  std::string url;
  std::function<int()> node = [] { return -1; };                // our node number now; negative: none
  std::function<void(const TokenRemoved&)> token_removed = {};  // from the store's thread, after the commit
  std::size_t max_batch = 1'000;                                // resolutions in one transaction
  std::chrono::milliseconds reply_timeout{30'000};
  std::chrono::milliseconds min_backoff{100};
  std::chrono::milliseconds max_backoff{5'000};
};

class OutboxStore : public push::Outbox {
 public:
  OutboxStore(OutboxStoreOptions options, push::LogSink log);
  /// stop() without waiting.
  ~OutboxStore() override;
  OutboxStore(const OutboxStore&) = delete;
  OutboxStore& operator=(const OutboxStore&) = delete;

  /// See push::Outbox. Only for rows that are committed already: an outcome without its row is lost.
  void resolve(std::vector<push::Resolution> resolutions) override;

  struct Status {
    bool is_connected = false;
    std::size_t pending = 0;  // resolutions not yet durable
    std::string last_error;   // empty: none since the last commit
    std::uint64_t resolved = 0;
    std::uint64_t refused = 0;  // dropped because PostgreSQL will never take them
  };
  Status status() const;

  /// Commits what was given, for at most `deadline`. True: nothing is left. Nothing may be resolved
  /// afterwards.
  bool stop(std::chrono::milliseconds deadline);

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace wake::db
