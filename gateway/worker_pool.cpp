#include "gateway/worker_pool.hpp"

#include "gateway/thread_name.hpp"

namespace wake::gateway {

WorkerPool::WorkerPool(const std::string& name, unsigned count) {
  for (unsigned k = 0; k < count; ++k) {
    threads_.emplace_back([this, thread_name = name + "-" + std::to_string(k)] {
      name_this_thread(thread_name);
      run();
    });
  }
}

WorkerPool::~WorkerPool() { stop(); }

void WorkerPool::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return;
    work_.push_back(std::move(work));
  }
  changed_.notify_one();
}

void WorkerPool::stop() {
  std::deque<std::function<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    dropped.swap(work_);
  }
  changed_.notify_all();
  stopping_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

std::size_t WorkerPool::waiting() const {
  const std::lock_guard lock(mutex_);
  return work_.size();
}

bool WorkerPool::wait_for(std::chrono::milliseconds pause) {
  std::unique_lock lock(mutex_);
  return !stopping_.wait_for(lock, pause, [this] { return is_stopping_; });
}

void WorkerPool::run() {
  for (;;) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return is_stopping_ || !work_.empty(); });
      if (is_stopping_) return;
      work = std::move(work_.front());
      work_.pop_front();
    }
    work();
  }
}

}  // namespace wake::gateway
