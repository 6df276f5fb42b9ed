// The inside of Shard. The rounds are in shard.cpp, what the machine asks for in shard_effects.cpp.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <variant>

#include "gateway/listen/acceptor.hpp"
#include "gateway/mqtt/mailbox.hpp"
#include "gateway/mqtt/shard.hpp"

namespace wake::gateway {

struct MailLetter {
  unsigned from = 0;
  std::vector<broker::Mail> mail;
};
struct CommittedLetter {
  std::uint64_t batch = 0;
  bool is_failed = false;
};
using Letter = std::variant<MailLetter, CommittedLetter, Arrival, Shard::Work>;

struct Shard::Impl {
  struct Listener {
    std::string key;
    std::unique_ptr<Acceptor> acceptor;
  };

  Impl(ShardOptions options, ShardHost& host);
  ~Impl();

  // ---- shard.cpp
  void run();
  void stop();
  void post(Letter letter);
  /// Sleeps, until there is something to do.
  std::span<const epoll_event> wait_for_events();
  std::chrono::milliseconds until_deadline() const;
  /// True: another one is due at once.
  bool run_round(std::span<const epoll_event> events);
  void take_mail();
  void open(Letter& letter);
  void accept_from(Acceptor& acceptor);
  void retry_accepting();

  // ---- shard_effects.cpp
  /// Carries out what the machine asked for, until it asks for nothing. True: it still does, after many
  /// steps.
  bool carry_out_all();
  bool carry_out_effects();
  void carry_out(broker::Effect& effect);
  bool send_mail();
  void hand_over(const broker::Handover& handover);
  void report(const broker::Incident& incident);

  const ShardOptions options;
  ShardHost& host;
  broker::Broker broker;
  Poller poller;
  Sockets sockets;
  Mailbox<Letter> mailbox;
  std::vector<Letter> opened;
  std::vector<Shard*> shards;
  std::vector<Listener> listeners;
  bool is_closing_listeners = false;  // at the end of the round: its events may name them
  std::vector<broker::Notice> notices;
  std::map<std::string_view, std::uint64_t> incidents;
  std::uint64_t sockets_opened = 0;
  broker::Now now;

  std::atomic<bool> is_stopping{false};
  std::thread thread;
};

}  // namespace wake::gateway
