#include "sockets_fixture.hpp"

namespace wake::gateway::test_sockets {
namespace {

constexpr std::string_view kHeader = "PROXY TCP4 192.0.2.7 198.51.100.1 40000 1883\r\n";

class ProxySocketsTest : public SocketsTest {
 protected:
  FileDescriptor connect() {
    Ends ends = make_pair_of_sockets();
    Arrival arrival = arrive(make_plain_transport(std::move(ends.ours)));
    arrival.awaits_proxy_header = true;
    sockets_.adopt(std::move(arrival), now_);
    return std::move(ends.theirs);
  }
};

TEST_F(ProxySocketsTest, TheClientIsKnownByTheHeadersAddress) {
  const FileDescriptor client = connect();
  send(client, std::string(kHeader) + std::string(kConnect));
  turn();
  EXPECT_EQ(read_all(client), kConnack);
  ASSERT_EQ(broker_.connections().size(), 1u);
  EXPECT_EQ(broker_.connections().front().listener.address, "192.0.2.7:40000");
}

TEST_F(ProxySocketsTest, TheHeaderMayComeByteByByte) {
  const FileDescriptor client = connect();
  for (const char byte : std::string(kHeader) + std::string(kConnect)) {
    send(client, {&byte, 1});
    turn();
  }
  EXPECT_EQ(read_all(client), kConnack);
}

TEST_F(ProxySocketsTest, WithoutAHeaderNobodyIsLetIn) {
  const FileDescriptor client = connect();
  send(client, kConnect);
  turn();
  EXPECT_TRUE(has_ended(client));
  EXPECT_EQ(sockets_.counters().proxy_headers_refused, 1u);
  EXPECT_EQ(broker_.counters().connections, 0u);
}

TEST_F(ProxySocketsTest, HalfAHeaderEndsWithConnectTimeout) {
  const FileDescriptor client = connect();
  send(client, kHeader.substr(0, 20));
  turn();
  EXPECT_EQ(sockets_.count(), 1u);
  pass(std::chrono::seconds(10));
  turn();
  EXPECT_TRUE(has_ended(client)) << "in order, not by a reset";
  EXPECT_EQ(sockets_.counters().proxy_headers_timed_out, 1u);
  pass(Sockets::kDrainTimeout);
  turn();
  EXPECT_EQ(sockets_.count(), 0u);
}

TEST_F(ProxySocketsTest, HalfAHeaderAndTheEndIsRefused) {
  const FileDescriptor client = connect();
  send(client, kHeader.substr(0, 20));
  ::shutdown(client.get(), SHUT_WR);
  turn();
  EXPECT_EQ(sockets_.count(), 0u);
  EXPECT_EQ(sockets_.counters().proxy_headers_refused, 1u);
}

}  // namespace
}  // namespace wake::gateway::test_sockets
