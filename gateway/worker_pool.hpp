// A few threads for work that may block, in the order it came. Bounded by who asks: a shard has at most one
// question of each connection and session under way.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace wake::gateway {

class WorkerPool {
 public:
  /// Threads are called "<name>-0" and so on.
  WorkerPool(const std::string& name, unsigned count);
  /// stop().
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Any thread. After stop(): dropped. `work` must not throw.
  void post(std::function<void()> work);
  /// What waits is dropped; what is under way is waited for. Safe to repeat.
  void stop();
  std::size_t waiting() const;
  /// For work under way that has to try again: false as soon as stop() was called.
  bool wait_for(std::chrono::milliseconds pause);

 private:
  void run();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable stopping_;
  std::deque<std::function<void()>> work_;
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace wake::gateway
