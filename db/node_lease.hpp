// Our number in the cluster, 0..31: part of every message id (broker-core/types.hpp) and of every claim in
// the outbox. Held as an advisory lock on a connection of its own for the life of the process, so no two
// nodes have one number, and a dead node's number is free as soon as PostgreSQL sees its connection end.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "db/outage.hpp"
#include "push/log.hpp"

namespace wake::db {

inline constexpr int kNodeCount = 32;  // 5 bits of a MessageId

class NodeLease {
 public:
  struct Options {
    std::string url;
    std::chrono::milliseconds check_every{1'000};  // how soon a lost connection is noticed
    /// Back before others take it for dead (gateway/will_heir.hpp).
    Outage::Backoff backoff{std::chrono::milliseconds(100), std::chrono::milliseconds(1'000)};
  };
  /// Takes the lowest free number. Throws StorageAway; std::runtime_error when 32 nodes are running.
  ///   changed  called from the lease's thread when the number was lost (-1) and when one is held again:
  ///   mostly the same, but
  ///            another when a new node was quicker. Message ids made meanwhile with the old number stay
  ///            good, because the clock part only repeats within one millisecond.
  NodeLease(Options options, std::function<void(int number)> changed, push::LogSink log);
  NodeLease(const NodeLease&) = delete;
  NodeLease& operator=(const NodeLease&) = delete;

  /// The number held, or while it is lost the one held last. Any thread.
  int number() const { return number_; }
  bool is_held() const { return is_held_; }

 private:
  void watch(std::stop_token stop);
  void take_again();
  void lose();

  const Options options_;
  const std::function<void(int)> changed_;
  std::atomic<int> number_{-1};
  std::atomic<bool> is_held_{false};
  Outage outage_;
  std::mutex mutex_;
  class Holder;
  std::shared_ptr<Holder> holder_;  // the connection; the thread's own after construction
  std::jthread thread_;
};

}  // namespace wake::db
