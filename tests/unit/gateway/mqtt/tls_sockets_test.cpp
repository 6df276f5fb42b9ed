#include "sockets_fixture.hpp"

namespace wake::gateway::test_sockets {
namespace {

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
  client.hang_up();
  turn();
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
  ends.theirs.reset();
  turn();
  EXPECT_EQ(admission_.connections(), 0u);
}

TEST_F(TlsSocketsTest, HalfAHandshakeEndsWithConnectTimeout) {
  test::TlsClient client = connect_tls();
  client.shake_hands();
  turn();
  EXPECT_EQ(sockets_.count(), 1u);
  pass(std::chrono::seconds(10));
  turn();
  EXPECT_EQ(sockets_.counters().handshakes_timed_out, 1u);
  pass(Sockets::kDrainTimeout);
  turn();
  EXPECT_EQ(sockets_.count(), 0u);
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
}  // namespace wake::gateway::test_sockets
