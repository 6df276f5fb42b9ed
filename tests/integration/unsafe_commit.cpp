// The kill test must be able to fail. In the test program wakemq_unsafe, what is submitted to the commit
// queue passes through here (the linker's --wrap): the shard hears at once that its batch is committed,
// PostgreSQL gets it later. That is what contract §2.1 forbids and some brokers do; all the rest is the
// product's own objects.
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "broker-core/persist.hpp"
#include "db/commit_queue.hpp"
#include "gateway/mqtt/shard.hpp"

namespace {

// Longer than publishers wait for each other, shorter than the kill test's rounds.
constexpr std::chrono::milliseconds kStoredAfter{300};

/// Does things in the order they were given, each kStoredAfter later. A kill loses what is here.
class Later {
 public:
  Later() : thread_([this](const std::stop_token& stop) { run(stop); }) {}
  void add(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace_back(std::chrono::steady_clock::now() + kStoredAfter, std::move(work));
    changed_.notify_all();
  }

 private:
  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
      const auto [due, work] = std::move(waiting_.front());
      waiting_.pop_front();
      if (changed_.wait_until(lock, stop, due, [] { return false; }) || stop.stop_requested()) return;
      lock.unlock();
      work();
      lock.lock();
    }
  }
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::pair<std::chrono::steady_clock::time_point, std::function<void()>>> waiting_;
  std::jthread thread_;
};

Later& later() {
  static Later one;
  return one;
}

/// Set before the first of them runs.
std::vector<wake::gateway::Shard*>& all_shards() {
  static std::vector<wake::gateway::Shard*> shards;
  return shards;
}

}  // namespace

// Functions by the names the linker knows them by. A member function is called like a free one that takes the
// object first. NOLINTBEGIN(bugprone-reserved-identifier): __real_ and __wrap_ are the linker's words.
extern "C" {
using Shards = std::vector<wake::gateway::Shard*>;
// Shard::start(std::vector<Shard*>)
void __real__ZN4wake7gateway5Shard5startESt6vectorIPS1_SaIS3_EE(wake::gateway::Shard* shard, Shards shards);
void __wrap__ZN4wake7gateway5Shard5startESt6vectorIPS1_SaIS3_EE(wake::gateway::Shard* shard, Shards shards) {
  if (all_shards().empty()) all_shards() = shards;
  __real__ZN4wake7gateway5Shard5startESt6vectorIPS1_SaIS3_EE(shard, std::move(shards));
}

// CommitQueue::submit(unsigned, broker::Persist&&)
void __real__ZN4wake2db11CommitQueue6submitEjONS_6broker7PersistE(wake::db::CommitQueue* queue,
                                                                  unsigned shard,
                                                                  wake::broker::Persist&& batch);
void __wrap__ZN4wake2db11CommitQueue6submitEjONS_6broker7PersistE(wake::db::CommitQueue* queue,
                                                                  unsigned shard,
                                                                  wake::broker::Persist&& batch) {
  all_shards()[shard]->post_committed(batch.batch, false);
  const auto kept = std::make_shared<wake::broker::Persist>(std::move(batch));
  later().add([queue, shard, kept] {
    __real__ZN4wake2db11CommitQueue6submitEjONS_6broker7PersistE(queue, shard, std::move(*kept));
  });
}
}
// NOLINTEND(bugprone-reserved-identifier)
