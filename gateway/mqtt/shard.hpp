// One shard at work: a thread, its epoll set, one Broker, its sockets and its listeners (design §2).
// Everything else reaches it by letters. A round is: what the poller reports; letters; reads, each fed to the
// machine; then, until nothing moves, effects, batches to store, mail to other shards, and one write per
// touched socket. Mail leaves before sockets are written and is read before bytes are fed, so who hears of a
// SUBACK finds the subscription known everywhere.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "broker-core/broker.hpp"
#include "gateway/listen/admission.hpp"
#include "gateway/listen/listener_rules.hpp"
#include "gateway/mqtt/shard_host.hpp"
#include "gateway/mqtt/sockets.hpp"

namespace wake::gateway {

struct ShardOptions {
  broker::ShardIdentity identity;
  broker::Limits limits;
  broker::DeliveryOptions delivery;
  broker::QuietTest is_quiet;
};

/// Counters as of one moment of the shard.
struct ShardSnapshot {
  broker::Counters broker;
  SocketCounters sockets;
  std::uint64_t socket_count = 0;
  std::uint64_t sockets_opened = 0;                     // accepted, whatever came of them
  std::map<std::string_view, std::uint64_t> incidents;  // by event name
};

class Shard {
 public:
  using Work = std::function<void(broker::Broker&, broker::Now)>;

  Shard(ShardOptions options, ShardHost& host);
  /// stop().
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  /// Before start(): to load what is stored.
  broker::Broker& broker();
  /// `shards`: all of them, this one too, by index; they must outlive the threads of all. Starts the thread.
  void start(std::vector<Shard*> shards);
  /// Ends the thread and waits for it. Letters that nobody read are dropped. Not from the thread itself.
  void stop();

  // ---- any thread, while the shard lives
  /// Runs on the shard's thread, in the order of posting.
  void post(Work work);
  void post_mail(unsigned from, std::vector<broker::Mail> mail);
  void post_committed(std::uint64_t batch, bool is_failed);
  /// A socket that another shard hands over.
  void post_arrival(Arrival arrival);
  /// `key` names the listener for reload_listener(); several sockets may have the same.
  void open_listener(FileDescriptor fd, std::string key, ListenerRulesPtr rules, Admission& admission);
  void reload_listener(std::string key, ListenerRulesPtr rules);
  void close_listeners();
  /// `answer` is called on the shard's thread.
  void ask_snapshot(std::function<void(ShardSnapshot)> answer);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wake::gateway
