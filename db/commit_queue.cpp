#include "db/commit_queue.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "db/commit_statements.hpp"
#include "db/outage.hpp"
#include "db/pq/session.hpp"

namespace wake::db {
namespace {

using Clock = std::chrono::steady_clock;
// Deadlocks with other nodes are repeated so often before they count as a refusal.
constexpr int kTransientAttempts = 5;
// An idle connection is looked at so often, so that status() tells the truth on a quiet night too.
constexpr std::chrono::seconds kIdleCheck{1};

struct Batch {
  unsigned shard = 0;
  broker::Persist persist;
  std::size_t bytes = 0;
};

/// Memory held by a batch, near enough to bound it: texts as they are, rows by a flat rate.
std::size_t measure(const broker::Persist& persist) {
  constexpr std::size_t kRow = 96;
  std::size_t bytes = 256;
  for (const auto& message : persist.messages) {
    bytes += 3 * kRow + message.topic.size() + message.payload.size() + message.properties.size();
  }
  for (const auto& change : persist.retained) {
    bytes += 3 * kRow + change.message.topic.size() + change.message.payload.size() +
             change.message.properties.size();
  }
  for (const auto& will : persist.wills) {
    bytes +=
        4 * kRow + will.message.topic.size() + will.message.payload.size() + will.message.properties.size();
  }
  for (const auto& [client_id, change] : persist.sessions) {
    bytes += 3 * kRow;
    for (const auto& subscription : change.subscriptions)
      bytes += kRow + subscription.subscription.filter.size();
  }
  return bytes + kRow * (persist.queue.size() + persist.inbox.size() + persist.outbox.size() +
                         persist.acknowledged.size() + persist.cancelled.size() + persist.started.size() +
                         persist.receipts.size() + persist.provisional.size() + persist.finalized.size() +
                         persist.trims.size() + persist.wills_due.size() + persist.wills_gone.size());
}

}  // namespace

class CommitQueue::Worker {
 public:
  Worker(CommitQueueOptions options, Committed committed, push::LogSink log)
      : options_(std::move(options)),
        committed_(std::move(committed)),
        log_(std::move(log)),
        outage_("db.commit", {options_.min_backoff, options_.max_backoff}, log_),
        thread_([this](std::stop_token stop) { run(stop); }) {}

  void submit(unsigned shard, broker::Persist&& persist) {
    Batch batch{shard, std::move(persist), 0};
    batch.bytes = measure(batch.persist);
    pending_bytes_ += batch.bytes;
    {
      const std::scoped_lock lock(mutex_);
      arrived_.push_back(std::move(batch));
      ++status_.pending_batches;
    }
    changed_.notify_all();
  }

  CommitStatus status() const {
    const std::scoped_lock lock(mutex_);
    CommitStatus status = status_;
    status.pending_bytes = pending_bytes_;
    return status;
  }

  bool stop(std::chrono::milliseconds deadline) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, deadline, [&] { return status_.pending_batches == 0; });
    lock.unlock();
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    return status_.pending_batches == 0;
  }

 private:
  void run(std::stop_token stop);
  bool take_arrived(std::stop_token stop);
  void commit_front(std::stop_token stop);
  void connect(std::stop_token stop);
  CommitGroup front_group() const;
  void commit_group(const CommitGroup& group);
  void commit_one_by_one(std::size_t count);
  void transact(const CommitGroup& group);
  void answer_front(std::size_t count);
  void drop_front(const pq::Refused& refusal);
  void forget_front();
  void set_connected(bool is_connected, std::string error);
  void record_commit(const CommitGroup& group, Clock::duration took);

  const CommitQueueOptions options_;
  const Committed committed_;
  const push::LogSink log_;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;  // batches arrived, or the last one was answered
  std::deque<Batch> arrived_;
  CommitStatus status_;
  std::atomic<std::size_t> pending_bytes_{0};

  // The thread's own.
  std::deque<Batch> taken_;
  std::optional<pq::Session> session_;
  Outage outage_;
  std::jthread thread_;
};

void CommitQueue::Worker::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    try {
      if (!session_) connect(stop);
      if (take_arrived(stop)) commit_group(front_group());
    } catch (const std::runtime_error& error) {
      // StorageAway, or a schema that our statements do not fit (Refused at connect): both are over when
      // someone acts.
      session_.reset();
      set_connected(false, error.what());
      const auto wait = outage_.began(error.what());
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, wait, [] { return false; });
    }
  }
}

void CommitQueue::Worker::connect(std::stop_token stop) {
  session_.emplace(pq::SessionOptions{options_.url, "wakemq commit", options_.reply_timeout},
                   commit_queries(), stop);
  outage_.over();
  set_connected(true, "");
}

/// Waits for something to do; false: there is nothing yet, or stop was asked for.
bool CommitQueue::Worker::take_arrived(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (taken_.empty() && !changed_.wait_for(lock, stop, kIdleCheck, [&] { return !arrived_.empty(); })) {
    session_->check();
    return false;
  }
  std::move(arrived_.begin(), arrived_.end(), std::back_inserter(taken_));
  arrived_.clear();
  return !taken_.empty() && !stop.stop_requested();
}

CommitGroup CommitQueue::Worker::front_group() const {
  CommitGroup group;
  std::size_t bytes = 0;
  for (const Batch& batch : taken_) {
    if (bytes > 0 && bytes + batch.bytes > options_.max_transaction_bytes) break;
    if (!group.try_add(batch.persist)) break;
    bytes += batch.bytes;
  }
  return group;
}

void CommitQueue::Worker::commit_group(const CommitGroup& group) {
  const std::size_t count = group.batches().size();
  for (int attempt = 1;; ++attempt) {
    try {
      transact(group);
      return answer_front(count);
    } catch (const pq::Refused& refusal) {
      if (refusal.is_transient() && attempt < kTransientAttempts) continue;
      if (count > 1) return commit_one_by_one(count);
      return drop_front(refusal);
    }
  }
}

/// One of them is refused: find out which, let the others pass.
void CommitQueue::Worker::commit_one_by_one(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    CommitGroup alone;
    alone.try_add(taken_.front().persist);
    commit_group(alone);
  }
}

void CommitQueue::Worker::transact(const CommitGroup& group) {
  const auto utc = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  const auto statements = make_commit_statements(group, {options_.node(), utc});
  const auto started = Clock::now();
  if (!statements.empty()) session_->transact(statements);
  record_commit(group, Clock::now() - started);
}

void CommitQueue::Worker::answer_front(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const Batch& batch = taken_.front();
    if (committed_) committed_(batch.shard, batch.persist.batch);
    forget_front();
  }
}

void CommitQueue::Worker::drop_front(const pq::Refused& refusal) {
  const Batch& batch = taken_.front();
  const std::string error = refusal.sqlstate + " " + refusal.what();
  log_(push::LogLevel::Error, "db.commit_refused",
       "batch " + std::to_string(batch.persist.batch) + " of shard " + std::to_string(batch.shard) +
           " was refused by PostgreSQL and dropped: " + error);
  if (options_.failed) options_.failed(batch.shard, batch.persist.batch, error);
  {
    const std::scoped_lock lock(mutex_);
    ++status_.failed_batches;
    status_.last_error = error;
  }
  forget_front();
}

void CommitQueue::Worker::forget_front() {
  pending_bytes_ -= taken_.front().bytes;
  taken_.pop_front();
  const std::scoped_lock lock(mutex_);
  if (--status_.pending_batches == 0) changed_.notify_all();
}

void CommitQueue::Worker::set_connected(bool is_connected, std::string error) {
  const std::scoped_lock lock(mutex_);
  status_.is_connected = is_connected;
  status_.last_error = std::move(error);
}

void CommitQueue::Worker::record_commit(const CommitGroup& group, Clock::duration took) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  const auto& bounds = CommitStatus::kLatencyBounds;
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), us) - bounds.begin();
  const std::scoped_lock lock(mutex_);
  ++status_.commits;
  status_.committed_batches += group.batches().size();
  for (const auto* batch : group.batches()) status_.committed_messages += batch->messages.size();
  status_.latency_sum_us += us;
  ++status_.latency_counts[static_cast<std::size_t>(bucket)];
}

CommitQueue::CommitQueue(CommitQueueOptions options, Committed committed, push::LogSink log)
    : worker_(std::make_unique<Worker>(std::move(options), std::move(committed), std::move(log))) {}

CommitQueue::~CommitQueue() { stop(std::chrono::milliseconds(0)); }

void CommitQueue::submit(unsigned shard, broker::Persist&& batch) {
  worker_->submit(shard, std::move(batch));
}

CommitStatus CommitQueue::status() const { return worker_->status(); }

bool CommitQueue::stop(std::chrono::milliseconds deadline) { return worker_->stop(deadline); }

}  // namespace wake::db
