#include "sockets_fixture.hpp"

namespace wake::gateway::test_sockets {
namespace {

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

TEST_F(SocketsTest, AnAnswerToAConnectIsWantedUntilConnectTimeout) {
  lets_in_ = false;
  const FileDescriptor client = connect();
  send(client, kConnect);
  turn();
  EXPECT_EQ(asked_until_, now_.steady + broker::Limits().connect_timeout);
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

TEST_F(SocketsTest, AnHttpRequestIsRefusedWithItsFirstByte) {
  const FileDescriptor client = connect();
  send(client, "GET / HTTP/1.1\r\n");  // 'G' 'E': a PUBACK of 69 bytes, if it were MQTT
  turn();
  EXPECT_TRUE(has_ended(client));
  EXPECT_EQ(broker_.counters().packets_malformed, 1u);
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

}  // namespace
}  // namespace wake::gateway::test_sockets
