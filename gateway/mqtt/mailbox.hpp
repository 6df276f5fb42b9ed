// What other threads leave for one shard: many writers, one reader, in order. The reader is woken once for
// all that gathers until it looks.
#pragma once

#include <atomic>
#include <mutex>
#include <vector>

namespace wake::gateway {

template <class Letter>
class Mailbox {
 public:
  /// Any thread. True: the box was empty, so the reader must be woken.
  [[nodiscard]] bool post(Letter letter) {
    const std::lock_guard lock(mutex_);
    letters_.push_back(std::move(letter));
    return !has_letters_.exchange(true, std::memory_order_release);
  }

  /// Reader's thread. Cheap: asked before every read of a socket. What was posted before a peer could know of
  /// it is seen.
  bool has_letters() const { return has_letters_.load(std::memory_order_acquire); }

  /// Reader's thread: all letters, oldest first. `into` must be empty; its memory is used for the next ones.
  void take(std::vector<Letter>& into) {
    const std::lock_guard lock(mutex_);
    letters_.swap(into);
    has_letters_.store(false, std::memory_order_relaxed);
  }

 private:
  std::mutex mutex_;
  std::vector<Letter> letters_;
  std::atomic<bool> has_letters_{false};
};

}  // namespace wake::gateway
