// What other threads leave for one shard: many writers, one reader, in order. The reader is woken only where
// it sleeps, and once for all that gathers until it looks.
#pragma once

#include <atomic>
#include <mutex>
#include <vector>

namespace wake::gateway {

template <class Letter>
class Mailbox {
 public:
  /// Any thread. True: the reader sleeps, and nobody has been told so since, so it must be woken.
  [[nodiscard]] bool post(Letter letter) {
    {
      const std::lock_guard lock(mutex_);
      letters_.push_back(std::move(letter));
      has_letters_.store(true);
    }
    return is_asleep_.load() && is_asleep_.exchange(false);
  }

  /// Reader's thread, before it sleeps. False: there are letters. Whoever posts from now on is told to wake
  /// it: of "asleep, then look for letters" here and "a letter, then look who sleeps" there, one sees the
  /// other, all four being sequentially consistent.
  [[nodiscard]] bool fall_asleep() {
    is_asleep_.store(true);
    if (!has_letters_.load()) return true;
    is_asleep_.store(false);
    return false;
  }
  /// Reader's thread, when it sleeps no more.
  void wake_up() { is_asleep_.store(false); }

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
  std::atomic<bool> is_asleep_{false};
};

}  // namespace wake::gateway
