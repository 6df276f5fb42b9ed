#include "gateway/listen/tls_context.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "certificates.hpp"
#include "gateway/listen/tls_failure.hpp"

namespace wake::gateway {
namespace {

class TlsContext : public testing::Test {
 protected:
  TlsContext() {
    certificates_.issue("server", "localhost");
    options_.protocol = config::Protocol::Mqtts;
    options_.cert_file = certificates_.path("server.crt");
    options_.key_file = certificates_.path("server.key");
  }
  std::string failure() {
    try {
      make_tls_context(options_);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }
  test::Certificates certificates_;
  config::ListenerOptions options_;
};

TEST_F(TlsContext, TakesACertificateAndItsKey) { EXPECT_EQ(failure(), ""); }

TEST_F(TlsContext, NamesTheFileThatIsMissing) {
  options_.cert_file = certificates_.path("nowhere.crt");
  EXPECT_NE(failure().find("nowhere.crt"), std::string::npos) << failure();
}

TEST_F(TlsContext, NamesTheFileThatIsNoPem) {
  certificates_.write("server.key", "not a key");
  EXPECT_NE(failure().find("key_file " + options_.key_file), std::string::npos) << failure();
}

TEST_F(TlsContext, RefusesTheKeyOfAnotherCertificate) {
  certificates_.issue("other", "localhost");
  options_.key_file = certificates_.path("other.key");
  EXPECT_NE(failure().find("key"), std::string::npos) << failure();
}

TEST_F(TlsContext, RefusesAnUnreadableClientCa) {
  options_.client_cert = config::ClientCert::Require;
  options_.client_ca_file = certificates_.path("nowhere.crt");
  EXPECT_NE(failure().find("client_ca_file"), std::string::npos) << failure();
}

TEST_F(TlsContext, SpeaksNothingOlderThanTls12) {
  const TlsContextPtr context = make_tls_context(options_);
  EXPECT_EQ(SSL_CTX_get_min_proto_version(context.get()), TLS1_2_VERSION);
}

TEST_F(TlsContext, MinVersionMayBeRaised) {
  options_.min_version = config::TlsVersion::Tls13;
  EXPECT_EQ(SSL_CTX_get_min_proto_version(make_tls_context(options_).get()), TLS1_3_VERSION);
}

TEST_F(TlsContext, NamesEachFurtherFileThatIsWrong) {
  options_.more_cert_files = {certificates_.path("server.crt")};
  EXPECT_NE(failure().find("more_cert_files"), std::string::npos) << "a key is missing: " << failure();
  options_.more_cert_files.clear();
  certificates_.write("clients.psk", "cam-1:short");
  options_.psk_file = certificates_.path("clients.psk");
  EXPECT_NE(failure().find("clients.psk: line 1"), std::string::npos) << failure();
  options_.psk_file.clear();
  options_.client_cert = config::ClientCert::Require;
  options_.client_ca_file = certificates_.ca();
  options_.crl_file = certificates_.ca();
  EXPECT_NE(failure().find("crl_file"), std::string::npos) << failure();
}

TEST_F(TlsContext, KeysAloneNeedNoCertificate) {
  certificates_.write("clients.psk", "cam-1:000102030405060708090a0b0c0d0e0f\n");
  options_.psk_file = certificates_.path("clients.psk");
  options_.cert_file.clear();
  options_.key_file.clear();
  EXPECT_EQ(failure(), "");
}

TEST(TlsFailureHint, KnowsWhatAPlainClientLooksLike) {
  EXPECT_NE(std::string(tls_failure_hint(SSL_R_WRONG_VERSION_NUMBER)).find("without TLS"), std::string::npos);
  EXPECT_STREQ(tls_failure_hint(-1), "");
}

}  // namespace
}  // namespace wake::gateway
