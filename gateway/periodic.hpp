// A thread that does one thing again and again until told to stop. Blocking work is welcome on it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "gateway/thread_name.hpp"

namespace wake::gateway {

class Periodic {
 public:
  /// `work` returns how long to wait before the next time. The first time is after `first`.
  Periodic(std::string name, std::chrono::milliseconds first, std::function<std::chrono::milliseconds()> work)
      : thread_([this, name = std::move(name), first, work = std::move(work)](const std::stop_token& stop) {
          name_this_thread(name);
          std::unique_lock lock(mutex_);
          for (auto wait = first;
               !stopped_.wait_for(lock, stop, wait, [&] { return stop.stop_requested(); });) {
            lock.unlock();
            wait = work();
            lock.lock();
          }
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;  // destroyed first: asks to stop and joins
};

}  // namespace wake::gateway
