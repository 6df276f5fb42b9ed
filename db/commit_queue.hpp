// The one writer of what is owed: gathers the batches of all shards and commits them together (design §4).
//
// Natural group commit: while one transaction is under way the next batches gather, and all that has arrived
// goes into the next. So a lone message waits for one flush, and a thousand share one. There is no timer
// here: how long a message may be offered before it must be stored (delivery.commit_window) is the core's
// matter.
//
// Never lost: while PostgreSQL is away batches wait in memory and are repeated, also the ones whose COMMIT
// had an unknown outcome (repeating changes nothing). A batch that PostgreSQL refuses delays nobody: its
// transaction is tried again batch by batch, the offender is dropped, logged, and reported to `failed`.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "broker-core/persist.hpp"
#include "push/log.hpp"

namespace wake::db {

struct CommitQueueOptions {
  std::string url;
  /// Our node number now (node_lease.hpp), which claims the outbox rows; negative: none. Called from the
  /// queue's thread.
  std::function<int()> node = [] { return -1; };
  /// A batch that PostgreSQL will never take; it was dropped. Called from the queue's thread.
  std::function<void(unsigned shard, std::uint64_t batch, const std::string& error)> failed = {};
  std::size_t max_transaction_bytes = 16 * 1024 * 1024;  // a transaction takes no further batch from here on
  std::chrono::milliseconds reply_timeout{30'000};       // a server silent for so long counts as lost
  std::chrono::milliseconds min_backoff{100};            // between attempts to connect, doubling
  std::chrono::milliseconds max_backoff{5'000};
};

/// For /readyz and /metrics. Counts since the start.
struct CommitStatus {
  /// Upper bounds of `latency_counts` in microseconds; the last bucket has none.
  static constexpr std::array<std::int64_t, 12> kLatencyBounds = {
      500, 1'000, 2'000, 4'000, 8'000, 16'000, 32'000, 64'000, 128'000, 256'000, 1'000'000, 4'000'000};
  bool is_connected = false;
  std::size_t pending_batches = 0;  // submitted and not yet answered
  std::size_t pending_bytes = 0;
  std::string last_error;  // empty: none since the last commit
  std::uint64_t commits = 0;
  std::uint64_t committed_batches = 0;
  std::uint64_t committed_messages = 0;
  std::uint64_t failed_batches = 0;
  std::int64_t latency_sum_us = 0;  // of transactions, sent to answered
  std::array<std::uint64_t, kLatencyBounds.size() + 1> latency_counts{};
};

class CommitQueue {
 public:
  /// Called from the queue's thread, once per batch, in order of submission for each shard.
  using Committed = std::function<void(unsigned shard, std::uint64_t batch)>;

  /// Starts its thread, which connects by itself; a database that is away is no error here.
  CommitQueue(CommitQueueOptions options, Committed committed, push::LogSink log);
  /// stop() without waiting.
  ~CommitQueue();
  CommitQueue(const CommitQueue&) = delete;
  CommitQueue& operator=(const CommitQueue&) = delete;

  /// Always taken, never blocks; the shards bound what they submit ([limits] max_unstored). Any thread. An
  /// empty batch is answered like any other.
  void submit(unsigned shard, broker::Persist&& batch);

  CommitStatus status() const;

  /// Commits what was submitted, for at most `deadline`; then gives up, and the thread ends. True: nothing is
  /// left. Nothing may be submitted afterwards.
  bool stop(std::chrono::milliseconds deadline);

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace wake::db
