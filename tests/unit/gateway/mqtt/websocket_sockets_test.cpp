#include "gateway/mqtt/websocket_transport.hpp"
#include "gateway/websocket/frames.hpp"
#include "sockets_fixture.hpp"

namespace wake::gateway::test_sockets {
namespace {

using websocket::Opcode;

constexpr std::string_view kRequest =
    "GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n";

/// Masked with zeros, which a mask may be.
std::string masked(Opcode opcode, std::string_view payload) {
  std::string frame = websocket::frame_header(opcode, payload.size());
  frame[1] = static_cast<char>(frame[1] | 0x80);
  return frame.append(4, '\0').append(payload);
}

std::string binary(std::string_view payload) { return masked(Opcode::Binary, payload); }
std::string ours(std::string_view payload) {
  return websocket::frame_header(Opcode::Binary, payload.size()).append(payload);
}

class WebSocketSocketsTest : public SocketsTest {
 protected:
  FileDescriptor open_tcp() {
    Ends ends = make_pair_of_sockets();
    adopt(make_websocket_transport(make_plain_transport(std::move(ends.ours)), {{}, 1 << 20}), false);
    return std::move(ends.theirs);
  }
  FileDescriptor connect() {
    FileDescriptor client = open_tcp();
    send(client, kRequest);
    turn();
    EXPECT_TRUE(read_all(client).starts_with("HTTP/1.1 101 "));
    return client;
  }
};

TEST_F(WebSocketSocketsTest, AClientConnectsAndPings) {
  const FileDescriptor client = connect();
  send(client, binary(kConnect) + binary(kPingreq));
  turn();
  EXPECT_EQ(read_all(client), ours(kConnack) + ours(kPingresp));
}

TEST_F(WebSocketSocketsTest, BytesMayComeOneByOne) {
  const FileDescriptor client = open_tcp();
  for (const char byte : std::string(kRequest)) {
    send(client, {&byte, 1});
    turn();
  }
  EXPECT_TRUE(read_all(client).starts_with("HTTP/1.1 101 "));
  for (const char byte : binary(kConnect.substr(0, 4)) + binary(kConnect.substr(4)) + binary(kPingreq)) {
    send(client, {&byte, 1});
    turn();
  }
  EXPECT_EQ(read_all(client), ours(kConnack) + ours(kPingresp));
}

TEST_F(WebSocketSocketsTest, FramesMayComeWithTheRequest) {
  const FileDescriptor client = open_tcp();
  send(client, std::string(kRequest) + binary(kConnect));
  turn();
  EXPECT_TRUE(read_all(client).ends_with(ours(kConnack)));
}

TEST_F(WebSocketSocketsTest, APingIsAnsweredWithoutMqtt) {
  const FileDescriptor client = connect();
  send(client, masked(Opcode::Ping, "are you there"));
  turn();
  EXPECT_EQ(read_all(client), websocket::control_frame(Opcode::Pong, "are you there"));
}

TEST_F(WebSocketSocketsTest, ATextFrameIsRefusedWithItsCode) {
  const FileDescriptor client = connect();
  send(client, binary(kConnect));
  turn();
  read_all(client);
  send(client, masked(Opcode::Text, kPingreq));
  turn();
  EXPECT_EQ(read_all(client), websocket::close_frame(websocket::CloseCode::UnsupportedData));
  EXPECT_TRUE(has_ended(client));
  EXPECT_EQ(broker_.counters().connections, 0u);
  EXPECT_EQ(sockets_.counters().frames_malformed, 1u);
}

TEST_F(WebSocketSocketsTest, TheMachinesCloseIsACloseFrame) {
  const FileDescriptor client = connect();
  send(client, binary(kPingreq));  // not CONNECT
  turn();
  EXPECT_EQ(read_all(client), websocket::close_frame(websocket::CloseCode::Normal));
  EXPECT_TRUE(has_ended(client));
}

TEST_F(WebSocketSocketsTest, TheClientsCloseIsAnswered) {
  const FileDescriptor client = connect();
  send(client, binary(kConnect));
  turn();
  read_all(client);
  send(client, masked(Opcode::Close, "\x03\xe9"));
  turn();
  EXPECT_EQ(read_all(client), websocket::close_frame(websocket::CloseCode{1001}));
  EXPECT_TRUE(has_ended(client));
  EXPECT_EQ(broker_.counters().connections, 0u);
}

TEST_F(WebSocketSocketsTest, AClientThatClosesWhileItsLastBytesWaitIsLetGo) {
  const FileDescriptor client = connect();
  send(client, binary(kConnect));
  turn();
  std::string pings;
  for (int i = 0; i < 30'000; ++i) pings += kPingreq;
  for (int i = 0; i < 12; ++i) {
    send(client, binary(pings));
    turn();
  }
  send(client, binary(kConnect));  // a second CONNECT: closed, but the answers before wait
  turn();
  EXPECT_EQ(broker_.counters().connections, 1u) << "its last bytes do not fit";
  send(client, masked(Opcode::Close, "\x03\xe8"));
  turn();
  for (int i = 0; i < 100; ++i) {
    read_all(client);
    turn();
  }
  EXPECT_EQ(broker_.counters().connections, 0u);
}

TEST_F(WebSocketSocketsTest, ARequestForSomethingElseIsToldInHttp) {
  const FileDescriptor client = open_tcp();
  send(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  turn();
  EXPECT_TRUE(read_all(client).starts_with("HTTP/1.1 426 "));
  EXPECT_TRUE(has_ended(client));
  EXPECT_EQ(sockets_.counters().upgrades_refused, 1u);
  EXPECT_EQ(sockets_.count(), 1u) << "lingers, so that the answer arrives";
  ::shutdown(client.get(), SHUT_WR);
  turn();
  EXPECT_EQ(sockets_.count(), 0u);
}

TEST_F(WebSocketSocketsTest, HalfARequestEndsWithConnectTimeout) {
  const FileDescriptor client = open_tcp();
  send(client, kRequest.substr(0, 40));
  turn();
  pass(std::chrono::seconds(10));
  turn();
  EXPECT_TRUE(has_ended(client));
  EXPECT_EQ(sockets_.counters().upgrades_timed_out, 1u);
}

TEST_F(WebSocketSocketsTest, ConnectTimeoutCountsFromTheAccept) {
  const FileDescriptor client = open_tcp();
  turn();
  pass(std::chrono::seconds(9));
  send(client, kRequest);
  turn();
  EXPECT_TRUE(read_all(client).starts_with("HTTP/1.1 101 "));
  pass(std::chrono::seconds(1));
  broker_.on_deadline(now_);
  turn();
  EXPECT_EQ(broker_.counters().connections, 0u);
}

TEST_F(WebSocketSocketsTest, AHandedOverSocketGoesOnWithItsFrames) {
  const FileDescriptor client = connect();
  const std::string frame = binary(kConnect);
  send(client, frame.substr(0, 9));  // half a frame, half a packet
  turn();
  broker::Broker other(broker::Limits{}, {}, {0, 1, 0});
  Poller poller;
  Sockets elsewhere(other, poller, std::chrono::seconds(10), [] {});
  std::optional<Arrival> arrival = sockets_.take(broker::ConnectionId{std::uint64_t{1} << 32});
  ASSERT_TRUE(arrival);
  elsewhere.adopt(std::move(*arrival), now_);
  send(client, frame.substr(9));
  for (int i = 0; i < 4; ++i) elsewhere.read_ready(now_);
  const broker::Effects effects = other.take_effects();
  ASSERT_EQ(effects.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<broker::Authenticate>(effects[0]));
  sockets_.end_round();
}

TEST_F(WebSocketSocketsTest, ManyAnswersPassASmallSocketBuffer) {
  const FileDescriptor client = connect();
  send(client, binary(kConnect));
  turn();
  std::string got = read_all(client).substr(ours(kConnack).size());
  std::string pings;
  for (int i = 0; i < 4'000; ++i) pings += kPingreq;
  constexpr int kRounds = 40;
  for (int i = 0; i < kRounds; ++i) {
    send(client, binary(pings) + masked(Opcode::Ping, "still there?"));
    turn();
    if (i % 8 == 7) got += read_all(client);
  }
  for (int i = 0; i < 1'000; ++i) {
    const std::string more = read_all(client);
    got += more;
    turn();
    if (more.empty()) break;
  }
  // Taken apart with our own reader: to it, we are the client, but for the mask.
  std::size_t payload = 0;
  std::size_t pongs = 0;
  for (std::size_t at = 0; at < got.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(got.at(at + i)); };
    std::size_t header = 2;
    std::size_t length = byte(1);
    if (length == 126) length = byte(2) << 8 | byte(3), header = 4;
    if (length == 127) {
      length = 0;
      for (std::size_t i = 2; i < 10; ++i) length = length << 8 | byte(i);
      header = 10;
    }
    (byte(0) == 0x8A ? pongs : payload) += byte(0) == 0x8A ? 1 : length;
    at += header + length;
  }
  EXPECT_EQ(payload, kRounds * pings.size());
  EXPECT_GE(pongs, 1u);
}

}  // namespace
}  // namespace wake::gateway::test_sockets
