#include "db/outbox_store.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "db/outage.hpp"
#include "db/outbox_statements.hpp"
#include "db/pq/session.hpp"

namespace wake::db {
namespace {

constexpr int kTransientAttempts = 5;
constexpr std::chrono::seconds kIdleCheck{1};

std::vector<TokenRemoved> as_removed(const pq::Rows& rows) {
  std::vector<TokenRemoved> removed;
  for (int i = 0; i < rows.size(); ++i) {
    const broker::PhoneId phone_id{rows.integer(i, 0)};
    if (removed.empty() || removed.back().phone_id != phone_id) {
      removed.push_back({phone_id, rows.text(i, 3), {rows.integer(i, 1)}, {}});
    }
    removed.back().client_ids.push_back({rows.text(i, 2)});
  }
  return removed;
}

}  // namespace

class OutboxStore::Worker {
 public:
  Worker(OutboxStoreOptions options, push::LogSink log)
      : options_(std::move(options)),
        log_(std::move(log)),
        outage_("db.outbox", {options_.min_backoff, options_.max_backoff}, log_),
        thread_([this](std::stop_token stop) { run(stop); }) {}

  void resolve(std::vector<push::Resolution> resolutions) {
    {
      const std::scoped_lock lock(mutex_);
      status_.pending += resolutions.size();
      std::move(resolutions.begin(), resolutions.end(), std::back_inserter(arrived_));
    }
    changed_.notify_all();
  }

  Status status() const {
    const std::scoped_lock lock(mutex_);
    return status_;
  }

  bool stop(std::chrono::milliseconds deadline) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, deadline, [&] { return status_.pending == 0; });
    lock.unlock();
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    return status_.pending == 0;
  }

 private:
  using Batch = std::span<const push::Resolution>;

  void run(std::stop_token stop) {
    while (!stop.stop_requested()) {
      try {
        if (!session_) connect(stop);
        if (take_arrived(stop)) commit_front();
      } catch (const std::runtime_error& error) {
        session_.reset();
        set_connected(false, error.what());
        const auto wait = outage_.began(error.what());
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, stop, wait, [] { return false; });
      }
    }
  }

  void connect(std::stop_token stop) {
    session_.emplace(pq::SessionOptions{options_.url, "wakemq outbox", options_.reply_timeout},
                     outbox_queries(), stop);
    outage_.over();
    set_connected(true, "");
  }

  /// Waits for something to do; false: there is nothing yet, or stop was asked for.
  bool take_arrived(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    if (taken_.empty() && !changed_.wait_for(lock, stop, kIdleCheck, [&] { return !arrived_.empty(); })) {
      session_->check();
      return false;
    }
    const auto end = arrived_.begin() +
                     static_cast<std::ptrdiff_t>(std::min(
                         arrived_.size(), options_.max_batch - std::min(options_.max_batch, taken_.size())));
    std::move(arrived_.begin(), end, std::back_inserter(taken_));
    arrived_.erase(arrived_.begin(), end);
    return !taken_.empty() && !stop.stop_requested();
  }

  void commit_front() {
    std::size_t done = 0;
    try {
      done = commit(taken_);
      if (done == 0) {  // one of them is refused: let the others pass
        for (; done < taken_.size(); ++done) {
          if (commit(Batch(taken_).subspan(done, 1)) == 0) count_refused();
        }
      }
    } catch (...) {
      forget(done);
      throw;
    }
    forget(done);
  }

  /// How many were committed: all, or none because PostgreSQL refuses them.
  std::size_t commit(Batch batch) {
    for (int attempt = 1;; ++attempt) {
      try {
        transact(batch);
        return batch.size();
      } catch (const pq::Refused& refusal) {
        if (refusal.is_transient() && attempt < kTransientAttempts) continue;
        refused_ = refusal.sqlstate + " " + refusal.what();
        return 0;
      }
    }
  }

  void transact(Batch batch) {
    const auto now =
        std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    const auto statements = make_outbox_statements(batch, options_.node(), now);
    const auto rows = session_->transact(statements);
    {
      const std::scoped_lock lock(mutex_);
      status_.resolved += batch.size();
      status_.last_error.clear();
    }
    if (rows.empty() || !options_.token_removed) return;
    for (const TokenRemoved& removed : as_removed(rows.back())) options_.token_removed(removed);
  }

  void count_refused() {
    log_(push::LogLevel::Error, "db.outbox_refused",
         "an outcome was refused by PostgreSQL and dropped: " + refused_);
    const std::scoped_lock lock(mutex_);
    ++status_.refused;
    status_.last_error = refused_;
  }

  void forget(std::size_t done) {
    taken_.erase(taken_.begin(), taken_.begin() + static_cast<std::ptrdiff_t>(done));
    const std::scoped_lock lock(mutex_);
    status_.pending -= done;
    if (status_.pending == 0) changed_.notify_all();
  }

  void set_connected(bool is_connected, std::string error) {
    const std::scoped_lock lock(mutex_);
    status_.is_connected = is_connected;
    status_.last_error = std::move(error);
  }

  const OutboxStoreOptions options_;
  const push::LogSink log_;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<push::Resolution> arrived_;
  Status status_;

  // The thread's own.
  std::vector<push::Resolution> taken_;
  std::string refused_;
  std::optional<pq::Session> session_;
  Outage outage_;
  std::jthread thread_;
};

OutboxStore::OutboxStore(OutboxStoreOptions options, push::LogSink log)
    : worker_(std::make_unique<Worker>(std::move(options), std::move(log))) {}

OutboxStore::~OutboxStore() { stop(std::chrono::milliseconds(0)); }

void OutboxStore::resolve(std::vector<push::Resolution> resolutions) {
  worker_->resolve(std::move(resolutions));
}

OutboxStore::Status OutboxStore::status() const { return worker_->status(); }

bool OutboxStore::stop(std::chrono::milliseconds deadline) { return worker_->stop(deadline); }

}  // namespace wake::db
