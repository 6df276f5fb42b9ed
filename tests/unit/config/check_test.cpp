#include "config/check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "written_file.hpp"

namespace wake::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// "section[index].key" of every finding.
std::vector<std::string> places(const Config& config) {
  std::vector<std::string> out;
  for (const Finding& finding : check(config)) {
    out.push_back(finding.section + "[" + std::to_string(finding.index) + "]." + finding.key);
  }
  return out;
}

class CheckFiles : public testing::Test {
 protected:
  Config with(const ListenerOptions& listener) {
    Config config;
    config.listeners = {listener};
    return config;
  }
  Config with(const push::AppOptions& app) {
    Config config;
    config.push_apps = {app};
    return config;
  }
  push::AppOptions apns() {
    push::AppOptions app;
    app.id = app.topic = "com.example.cam";
    app.key_file = file_.path();
    app.key_id = "ABC123DEFG";
    app.team_id = "DEF123GHIJ";
    return app;
  }
  push::AppOptions fcm() {
    push::AppOptions app;
    app.id = "com.example.cam";
    app.platform = broker::Platform::Fcm;
    app.service_account_file = file_.path();
    return app;
  }
  ListenerOptions tls() {
    ListenerOptions listener;
    listener.protocol = Protocol::Mqtts;
    listener.cert_file = listener.key_file = file_.path();
    return listener;
  }
  WrittenFile file_{"x"};
};

TEST_F(CheckFiles, DefaultsMayBeServed) { EXPECT_THAT(places(Config{}), IsEmpty()); }

TEST_F(CheckFiles, TlsNeedsCertificateAndKey) {
  EXPECT_THAT(places(with(tls())), IsEmpty());
  ListenerOptions listener;
  listener.protocol = Protocol::Wss;
  EXPECT_THAT(places(with(listener)), ElementsAre("listener[0].cert_file", "listener[0].key_file"));
}

TEST_F(CheckFiles, ListenerRulesAreHeldTo) {
  ListenerOptions listener;
  listener.auth = {"password", "certificate", "token", "anonymous"};
  EXPECT_THAT(places(with(listener)), IsEmpty());
  listener.auth = {"passwords"};
  listener.allowed_origins = {"https://a"};
  listener.unix_mode = "0888";
  EXPECT_THAT(places(with(listener)),
              ElementsAre("listener[0].auth", "listener[0].allowed_origins", "listener[0].unix_mode"));
  ListenerOptions http;
  http.protocol = Protocol::Http;
  http.auth = {"password"};
  http.allowed_origins = {"https://a"};
  EXPECT_THAT(places(with(http)), ElementsAre("listener[0].auth"));
}

TEST_F(CheckFiles, TlsMayHaveKeysInPlaceOfACertificate) {
  ListenerOptions listener;
  listener.protocol = Protocol::Mqtts;
  listener.psk_file = file_.path();
  EXPECT_THAT(places(with(listener)), IsEmpty());
  listener.crl_file = file_.path();
  EXPECT_THAT(places(with(listener)), ElementsAre("listener[0].crl_file"));
  ListenerOptions more = tls();
  more.more_cert_files = {file_.path(), "/nowhere.pem"};
  EXPECT_THAT(places(with(more)), ElementsAre("listener[0].more_cert_files"));
}

TEST_F(CheckFiles, PlainListenerRefusesTlsKeys) {
  ListenerOptions listener = tls();
  listener.protocol = Protocol::Mqtt;
  EXPECT_THAT(places(with(listener)), ElementsAre("listener[0].protocol"));
}

TEST_F(CheckFiles, UnreadableFilesAreNamed) {
  ListenerOptions listener = tls();
  listener.cert_file = "/nowhere.crt";
  listener.key_file = "/";
  EXPECT_THAT(places(with(listener)), ElementsAre("listener[0].cert_file", "listener[0].key_file"));
}

TEST_F(CheckFiles, ClientCertificatesNeedTheirAuthority) {
  ListenerOptions listener = tls();
  listener.client_cert = ClientCert::Require;
  EXPECT_THAT(places(with(listener)), ElementsAre("listener[0].client_ca_file"));
  listener.client_ca_file = file_.path();
  EXPECT_THAT(places(with(listener)), IsEmpty());
  listener.client_cert = ClientCert::None;
  EXPECT_THAT(places(with(listener)), ElementsAre("listener[0].client_ca_file"));
}

TEST_F(CheckFiles, AddressIsWrittenWellAndOnce) {
  Config config;
  config.listeners.resize(3);
  config.listeners[1].address = "1883";
  EXPECT_THAT(places(config), ElementsAre("listener[1].address", "listener[2].address"));
}

TEST_F(CheckFiles, ApnsNeedsAKeyOrACertificate) {
  EXPECT_THAT(places(with(apns())), IsEmpty());
  push::AppOptions app = apns();
  app.key_id = "short";
  app.team_id.clear();
  EXPECT_THAT(places(with(app)), ElementsAre("push.app[0].key_id", "push.app[0].team_id"));
  app.cert_file = file_.path();
  app.key_id.clear();
  EXPECT_THAT(places(with(app)), IsEmpty());
  app.key_id = "ABC123DEFG";
  EXPECT_THAT(places(with(app)), ElementsAre("push.app[0].key_id"));
}

TEST_F(CheckFiles, FcmNeedsItsServiceAccountAlone) {
  EXPECT_THAT(places(with(fcm())), IsEmpty());
  push::AppOptions app = fcm();
  app.service_account_file.clear();
  app.topic = "com.example.cam";
  EXPECT_THAT(places(with(app)), ElementsAre("push.app[0].service_account_file", "push.app[0].topic"));
}

TEST_F(CheckFiles, OneChannelPerIdPlatformAndEnvironment) {
  Config config;
  config.push_apps = {apns(), fcm(), apns(), apns()};
  config.push_apps[3].environment = broker::Environment::Sandbox;
  EXPECT_THAT(places(config), ElementsAre("push.app[2].id"));
}

TEST_F(CheckFiles, EndpointIsAnOriginOverTls) {
  push::AppOptions app = fcm();
  for (const char* good : {"https://localhost:9443", "https://push.example.com", "https://[::1]:9443"}) {
    app.endpoint = good;
    EXPECT_THAT(places(with(app)), IsEmpty()) << good;
  }
  for (const char* bad :
       {"http://localhost:9443", "localhost:9443", "https://", "https://h/path", "https://h:99999"}) {
    app.endpoint = bad;
    EXPECT_THAT(places(with(app)), ElementsAre("push.app[0].endpoint")) << bad;
  }
}

TEST_F(CheckFiles, QueueHoldsTheLargestPacket) {
  Config config;
  config.limits.max_queued_bytes = config.limits.max_packet_bytes;
  EXPECT_THAT(places(config), IsEmpty());
  --config.limits.max_queued_bytes;
  EXPECT_THAT(places(config), ElementsAre("limits[0].max_queued_bytes"));
}

}  // namespace
}  // namespace wake::config
