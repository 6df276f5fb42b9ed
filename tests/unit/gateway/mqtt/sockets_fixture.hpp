// Real socket pairs and TLS on one end, the real machine on the other; each test turns the rounds itself.
#pragma once

#include <csignal>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "../listen/certificates.hpp"
#include "../listen/tls_client.hpp"
#include "broker-core/packet/packet.hpp"
#include "gateway/clock.hpp"
#include "gateway/mqtt/sockets.hpp"
#include "gateway/mqtt/tls_transport.hpp"

namespace wake::gateway::test_sockets {

using broker::as_bytes;
using broker::Version;

inline constexpr std::string_view kConnect("\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01p", 15);
inline constexpr std::string_view kConnack("\x20\x02\x00\x00", 4);
inline constexpr std::string_view kPingreq("\xc0\x00", 2);
inline constexpr std::string_view kPingresp("\xd0\x00", 2);

struct Ends {
  FileDescriptor ours;
  FileDescriptor theirs;
};

inline Ends make_pair_of_sockets() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
    throw std::runtime_error("no socket pair");
  return {FileDescriptor(fds[0]), FileDescriptor(fds[1])};
}

inline std::string read_all(const FileDescriptor& fd) {
  std::string all;
  char bytes[4096];
  for (ssize_t got; (got = ::recv(fd.get(), bytes, sizeof bytes, 0)) > 0;)
    all.append(bytes, static_cast<std::size_t>(got));
  return all;
}

inline bool has_ended(const FileDescriptor& fd) {
  char byte;
  return ::recv(fd.get(), &byte, 1, 0) == 0;
}

class SocketsTest : public testing::Test {
 protected:
  SocketsTest() : SocketsTest(broker::Limits{}) {}
  explicit SocketsTest(const broker::Limits& limits)
      : broker_(limits, {}, {0, 1, 0}),
        sockets_(broker_, poller_, limits.connect_timeout, [this] { ++mail_taken_; }) {
    std::signal(SIGPIPE, SIG_IGN);
  }

  FileDescriptor connect() {
    Ends ends = make_pair_of_sockets();
    adopt(make_plain_transport(std::move(ends.ours)), true);
    return std::move(ends.theirs);
  }
  Arrival arrive(std::unique_ptr<Transport> transport) {
    Arrival arrival;
    arrival.transport = std::move(transport);
    arrival.facts = std::make_unique<broker::ListenerFacts>();
    arrival.facts->address = "peer:1";
    arrival.place = std::move(*admission_.admit(now_.steady).place);
    return arrival;
  }
  void adopt(std::unique_ptr<Transport> transport, bool has_shaken_hands) {
    Arrival arrival = arrive(std::move(transport));
    arrival.has_shaken_hands = has_shaken_hands;
    sockets_.adopt(std::move(arrival), now_);
  }
  static void send(const FileDescriptor& fd, std::string_view bytes) {
    ASSERT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  /// As the shard does, until nothing moves; whoever asks is let in.
  void turn() {
    for (int i = 0; i < 64; ++i) {
      const auto events = poller_.wait(std::chrono::milliseconds(0));
      for (const epoll_event& event : events) {
        auto& pollable = *static_cast<Pollable*>(event.data.ptr);
        if (pollable.kind == Pollable::Kind::Socket) sockets_.on_event(pollable, event.events, now_);
      }
      sockets_.read_ready(now_);
      sockets_.on_deadline(now_);
      bool has_moved = true;
      while (has_moved) has_moved = carry_out() | sockets_.write_touched(now_);
      sockets_.end_round();
      if (events.empty() && !sockets_.has_ready()) return;
    }
  }
  bool carry_out() {
    const broker::Effects effects = broker_.take_effects();
    for (const broker::Effect& effect : effects) {
      if (const auto* close = std::get_if<broker::Close>(&effect))
        sockets_.close(close->connection, close->reason, now_);
      if (const auto* resume = std::get_if<broker::Resume>(&effect))
        sockets_.resume(resume->connection, now_);
      if (const auto* ask = std::get_if<broker::Authenticate>(&effect)) {
        asked_ = ask->connection;
        asked_until_ = ask->deadline;
        cn_ = ask->certificate_cn;
        if (lets_in_) let_in();
      }
    }
    return !effects.empty();
  }
  void let_in() {
    broker::AuthOutcome outcome{broker::AuthOutcome::Kind::Allowed, {}, {}};
    outcome.grants.is_superuser = true;
    broker_.on_authenticated(asked_, outcome, now_);
  }
  void pass(std::chrono::milliseconds time) { now_.steady += time; }

  broker::Now now_ = read_clocks();
  Poller poller_;
  AddressLimit addresses_{0};
  Admission admission_{1000, 0, addresses_};
  broker::Broker broker_;
  int mail_taken_ = 0;
  Sockets sockets_;
  bool lets_in_ = true;
  broker::ConnectionId asked_;
  broker::SteadyTime asked_until_{};
  std::string cn_;
};

}  // namespace wake::gateway::test_sockets
