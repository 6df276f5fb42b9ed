// The shard's epoll set, and the only place where its thread sleeps. Edge-triggered: each socket is
// registered once for both directions and never changed, so neither a pause nor a blocked write costs a
// system call. The price: whoever gets an event reads until drained, or remembers that there is more.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>

#include <sys/epoll.h>

#include "gateway/file_descriptor.hpp"

namespace wake::gateway {

/// What an event is about; the base of everything registered. Must live until removed and the round is over.
struct Pollable {
  enum class Kind : std::uint8_t { Wake, Acceptor, Socket };
  explicit Pollable(Kind kind) : kind(kind) {}
  const Kind kind;
};

class Poller {
 public:
  /// Throws std::system_error when the process has no descriptors left.
  Poller();
  /// False: errno says why (memory, or /proc/sys/fs/epoll/max_user_watches).
  [[nodiscard]] bool add(int fd, Pollable& pollable);
  void remove(int fd);
  /// Any thread: the next wait() returns at once, with an event of kind Wake.
  void wake();
  /// Sleeps for at most `limit` (negative: without one) while there is no event. The events hold until the
  /// next call.
  std::span<const epoll_event> wait(std::chrono::milliseconds limit);
  /// The last wait() filled its array: there may be more at once.
  bool was_full() const { return count_ == events_.size(); }

 private:
  FileDescriptor epoll_;
  FileDescriptor wake_;
  Pollable wake_pollable_{Pollable::Kind::Wake};
  std::array<epoll_event, 1024> events_;
  std::size_t count_ = 0;
};

}  // namespace wake::gateway
