// Real socket pairs and TLS on one end, the real machine on the other; each test turns the rounds itself.
#include "gateway/mqtt/sockets.hpp"

#include <csignal>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "../listen/certificates.hpp"
#include "../listen/tls_client.hpp"
#include "broker-core/packet/packet.hpp"
#include "gateway/clock.hpp"
#include "gateway/mqtt/tls_transport.hpp"

namespace wake::gateway {
namespace {

using broker::as_bytes;
using broker::Version;

constexpr std::string_view kConnect("\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01p", 15);
constexpr std::string_view kConnack("\x20\x02\x00\x00", 4);
constexpr std::string_view kPingreq("\xc0\x00", 2);
constexpr std::string_view kPingresp("\xd0\x00", 2);

struct Ends {
  FileDescriptor ours;
  FileDescriptor theirs;
};

Ends make_pair_of_sockets() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
    throw std::runtime_error("no socket pair");
  return {FileDescriptor(fds[0]), FileDescriptor(fds[1])};
}

std::string read_all(const FileDescriptor& fd) {
  std::string all;
  char bytes[4096];
  for (ssize_t got; (got = ::recv(fd.get(), bytes, sizeof bytes, 0)) > 0;)
    all.append(bytes, static_cast<std::size_t>(got));
  return all;
}

bool has_ended(const FileDescriptor& fd) {
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
  void adopt(std::unique_ptr<Transport> transport, bool has_shaken_hands) {
    Arrival arrival;
    arrival.transport = std::move(transport);
    arrival.facts = std::make_unique<broker::ListenerFacts>();
    arrival.facts->address = "peer:1";
    arrival.place = std::move(*admission_.admit(now_.steady).place);
    arrival.has_shaken_hands = has_shaken_hands;
    sockets_.adopt(std::move(arrival), now_);
  }
  static void send(const FileDescriptor& fd, std::string_view bytes) {
    ASSERT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  /// As the shard does, until nothing moves; whoever asks is let in.
  void turn() {
    for (int i = 0; i < 64; ++i) {
      const auto events = poller_.wait();
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
  Admission admission_{1000, 0};
  broker::Broker broker_;
  int mail_taken_ = 0;
  Sockets sockets_;
  bool lets_in_ = true;
  broker::ConnectionId asked_;
  std::string cn_;
};

TEST_F(SocketsTest, AClientConnectsAndPings) {
  const FileDescriptor client = connect();
  send(client, kConnect);
  turn();
  EXPECT_EQ(read_all(client), kConnack);
  send(client, kPingreq);
  turn();
  EXPECT_EQ(read_all(client), kPingresp);
  EXPECT_GE(mail_taken_, 2) << "mail comes before the bytes of every read";
}

TEST_F(SocketsTest, PacketsMayComeByteByByte) {
  const FileDescriptor client = connect();
  for (const char byte : std::string(kConnect) + std::string(kPingreq)) {
    send(client, {&byte, 1});
    turn();
  }
  EXPECT_EQ(read_all(client), std::string(kConnack) + std::string(kPingresp));
}

TEST_F(SocketsTest, WhatFollowsConnectWaitsForTheAnswerAboutIt) {
  lets_in_ = false;
  const FileDescriptor client = connect();
  send(client, std::string(kConnect) + std::string(kPingreq));
  turn();
  send(client, kPingreq);
  turn();
  EXPECT_EQ(read_all(client), "");
  let_in();
  turn();
  EXPECT_EQ(read_all(client), std::string(kConnack) + std::string(kPingresp) + std::string(kPingresp));
}

TEST_F(SocketsTest, AClientThatSaysEverythingAndLeavesIsHeardOut) {
  lets_in_ = false;
  const FileDescriptor client = connect();
  send(client, std::string(kConnect) + std::string("\x30\x05\x00\x01tHi", 7));
  ::shutdown(client.get(), SHUT_WR);
  turn();
  EXPECT_EQ(broker_.counters().publishes_received, 0u);
  let_in();
  turn();
  EXPECT_EQ(broker_.counters().publishes_received, 1u);
  EXPECT_EQ(broker_.counters().connections, 0u);
  EXPECT_EQ(sockets_.count(), 0u);
}

TEST_F(SocketsTest, TheEndBehindAShortReadIsSeen) {
  const FileDescriptor client = connect();
  send(client, kConnect);
  turn();
  send(client, kPingreq);
  ::shutdown(client.get(), SHUT_WR);
  turn();
  EXPECT_EQ(broker_.counters().connections, 0u);
  EXPECT_EQ(admission_.connections(), 0u);
}

TEST_F(SocketsTest, ARefusedClientGetsItsLastPacketAndThenTheEnd) {
  const FileDescriptor client = connect();
  send(client, kPingreq);  // not CONNECT: closed
  turn();
  EXPECT_TRUE(has_ended(client));
  EXPECT_EQ(sockets_.count(), 1u) << "lingers until the client ends too";
  ::shutdown(client.get(), SHUT_WR);
  turn();
  EXPECT_EQ(sockets_.count(), 0u);
}

TEST_F(SocketsTest, AClientThatDoesNotEndIsClosedAfterTheDrainTimeout) {
  const FileDescriptor client = connect();
  send(client, kPingreq);
  turn();
  ASSERT_EQ(sockets_.count(), 1u);
  ASSERT_TRUE(sockets_.next_deadline());
  pass(Sockets::kDrainTimeout);
  turn();
  EXPECT_EQ(sockets_.count(), 0u);
}

TEST_F(SocketsTest, AClientThatDoesNotReadGetsTheRestWhenItDoes) {
  const FileDescriptor client = connect();
  send(client, kConnect);
  turn();
  ASSERT_EQ(read_all(client), kConnack);
  std::string pings;
  for (int i = 0; i < 20'000; ++i) pings += kPingreq;
  std::size_t sent = 0;
  std::string answers;
  const int small = 4096;
  ::setsockopt(client.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  for (int i = 0; i < 10'000 && answers.size() < pings.size(); ++i) {
    const ssize_t part = ::send(client.get(), pings.data() + sent, pings.size() - sent, MSG_NOSIGNAL);
    if (part > 0) sent += static_cast<std::size_t>(part);
    turn();
    if (i % 4 == 3 || part <= 0) answers += read_all(client);
  }
  EXPECT_EQ(answers.size(), pings.size());
}

TEST_F(SocketsTest, TlsBytesOnAPlainListenerAreTold) {
  const FileDescriptor client = connect();
  send(client, std::string_view("\x16\x03\x01\x02\x00", 5));
  turn();
  EXPECT_EQ(sockets_.counters().wrong_listener, 1u);
  EXPECT_TRUE(has_ended(client));
  EXPECT_EQ(broker_.counters().connections, 0u);
}

TEST_F(SocketsTest, ABigPacketArrivesInPieces) {
  const FileDescriptor client = connect();
  send(client, kConnect);
  turn();
  ASSERT_EQ(read_all(client), kConnack);
  std::vector<std::byte> bytes;
  const std::string payload(900'000, 'x');
  write(broker::Publish{.dup = false,
                        .qos = broker::Qos::AtMostOnce,
                        .retain = true,
                        .topic = "big",
                        .packet_id = {0},
                        .properties = {},
                        .payload = as_bytes(payload)},
        Version::V311, bytes);
  std::string_view rest = broker::as_text(bytes);
  for (int i = 0; i < 10'000 && !rest.empty(); ++i) {
    const ssize_t part = ::send(client.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (part > 0) rest.remove_prefix(static_cast<std::size_t>(part));
    turn();
  }
  send(client, kPingreq);
  turn();
  EXPECT_EQ(broker_.counters().retained, 1u);
  EXPECT_EQ(read_all(client), kPingresp);
}

TEST_F(SocketsTest, ASocketMovesWithItsBytes) {
  const FileDescriptor client = connect();
  lets_in_ = false;
  send(client, std::string(kConnect) + std::string(kPingreq));
  turn();
  std::optional<Arrival> moved = sockets_.take(asked_);
  ASSERT_TRUE(moved);
  sockets_.end_round();
  EXPECT_EQ(sockets_.count(), 0u);
  EXPECT_EQ(admission_.connections(), 1u);
  EXPECT_EQ(moved->rest.size(), kPingreq.size());
}

TEST_F(SocketsTest, AClientOnItsWayElsewhereSurvivesTheNextOneTakingItsSlot) {
  broker::Broker first_of_two(broker::Limits{}, {}, {0, 2, 0});
  Poller poller;
  Sockets sockets(first_of_two, poller, std::chrono::seconds(10), [] {});
  const auto arrive = [&](std::vector<std::byte> bytes) {
    Ends ends = make_pair_of_sockets();
    Arrival arrival;
    arrival.transport = make_plain_transport(std::move(ends.ours));
    arrival.facts = std::make_unique<broker::ListenerFacts>();
    arrival.rest = std::move(bytes);
    arrival.has_shaken_hands = true;
    sockets.adopt(std::move(arrival), now_);
    return std::move(ends.theirs);
  };
  std::string id = "p";
  while (broker::home_shard(id, 2) != 1) id += "p";
  std::vector<std::byte> connect;
  broker::Connect packet;
  packet.client_id = id;
  write(packet, Version::V311, connect);
  const FileDescriptor moving = arrive(connect);
  const FileDescriptor next = arrive({});
  const broker::Effects effects = first_of_two.take_effects();
  ASSERT_EQ(effects.size(), 1u);
  const auto moved = sockets.take(std::get<broker::Handover>(effects.front()).connection);
  ASSERT_TRUE(moved) << "the client would wait for ever";
  EXPECT_EQ(moved->rest, connect);
}

class TlsSocketsTest : public SocketsTest {
 protected:
  TlsSocketsTest() {
    certificates_.issue("server", "localhost");
    certificates_.issue("camera", "cam-1");
    options_.protocol = config::Protocol::Mqtts;
    options_.cert_file = certificates_.path("server.crt");
    options_.key_file = certificates_.path("server.key");
    options_.client_ca_file = certificates_.ca();
  }
  test::TlsClient connect_tls() {
    Ends ends = make_pair_of_sockets();
    adopt(make_tls_transport(std::move(ends.ours), make_tls_context(options_)), false);
    return {std::move(ends.theirs), certificates_.ca()};
  }
  bool shake_hands(test::TlsClient& client) {
    for (int i = 0; i < 20; ++i) {
      const bool is_done = client.shake_hands();
      turn();
      if (is_done) return true;
    }
    return false;
  }
  test::Certificates certificates_;
  config::ListenerOptions options_;
};

TEST_F(TlsSocketsTest, AClientConnectsAndPings) {
  test::TlsClient client = connect_tls();
  ASSERT_TRUE(shake_hands(client));
  EXPECT_EQ(broker_.counters().connections, 1u);
  ASSERT_TRUE(client.write(std::string(kConnect) + std::string(kPingreq)));
  turn();
  EXPECT_EQ(client.read(), std::string(kConnack) + std::string(kPingresp));
  EXPECT_EQ(cn_, "");
}

TEST_F(TlsSocketsTest, TheClientCertificatesNameReachesTheMachine) {
  options_.client_cert = config::ClientCert::Require;
  test::TlsClient client = connect_tls();
  client.use_certificate(certificates_.path("camera.crt"), certificates_.path("camera.key"));
  ASSERT_TRUE(shake_hands(client));
  ASSERT_TRUE(client.write(std::string(kConnect)));
  turn();
  EXPECT_EQ(cn_, "cam-1");
}

TEST_F(TlsSocketsTest, AClientWithoutTheRequiredCertificateFails) {
  options_.client_cert = config::ClientCert::Require;
  test::TlsClient client = connect_tls();
  shake_hands(client);
  EXPECT_EQ(sockets_.counters().handshakes_failed, 1u);
  EXPECT_EQ(sockets_.count(), 0u);
}

TEST_F(TlsSocketsTest, AClientThatDoesNotTrustUsFails) {
  Ends ends = make_pair_of_sockets();
  adopt(make_tls_transport(std::move(ends.ours), make_tls_context(options_)), false);
  test::TlsClient client(std::move(ends.theirs), "");
  EXPECT_FALSE(shake_hands(client));
  EXPECT_EQ(sockets_.counters().handshakes_failed, 1u);
}

TEST_F(TlsSocketsTest, APlainClientFailsAtOnce) {
  Ends ends = make_pair_of_sockets();
  adopt(make_tls_transport(std::move(ends.ours), make_tls_context(options_)), false);
  send(ends.theirs, kConnect);
  turn();
  EXPECT_EQ(sockets_.counters().handshakes_failed, 1u);
  EXPECT_EQ(admission_.connections(), 0u);
}

TEST_F(TlsSocketsTest, HalfAHandshakeEndsWithConnectTimeout) {
  test::TlsClient client = connect_tls();
  client.shake_hands();
  turn();
  EXPECT_EQ(sockets_.count(), 1u);
  pass(std::chrono::seconds(10));
  turn();
  EXPECT_EQ(sockets_.count(), 0u);
  EXPECT_EQ(sockets_.counters().handshakes_timed_out, 1u);
}

TEST_F(TlsSocketsTest, ATls12ClientIsServed) {
  test::TlsClient client = connect_tls();
  SSL_CTX_set_max_proto_version(client.context(), TLS1_2_VERSION);
  ASSERT_TRUE(shake_hands(client));
  ASSERT_TRUE(client.write(std::string(kConnect)));
  turn();
  EXPECT_EQ(client.read(), kConnack);
}

TEST_F(TlsSocketsTest, ManyAnswersPassASmallSocketBuffer) {
  test::TlsClient client = connect_tls();
  ASSERT_TRUE(shake_hands(client));
  ASSERT_TRUE(client.write(std::string(kConnect)));
  turn();
  ASSERT_EQ(client.read(), kConnack);
  std::string pings;
  for (int i = 0; i < 5'000; ++i) pings += kPingreq;
  std::string answers;
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(client.write(pings));
    turn();
    if (i % 8 == 7) answers += client.read();
  }
  for (int i = 0; i < 1'000 && answers.size() < 40 * pings.size(); ++i) {
    answers += client.read();
    turn();
  }
  EXPECT_EQ(answers.size(), 40 * pings.size());
}

}  // namespace
}  // namespace wake::gateway
