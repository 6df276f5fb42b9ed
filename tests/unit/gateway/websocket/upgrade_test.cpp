#include "gateway/websocket/upgrade.hpp"

#include <gmock/gmock.h>

#include "broker-core/types.hpp"

namespace wake::gateway::websocket {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// RFC 6455 §1.3's own example, with MQTT's subprotocol.
const std::vector<std::string> kFields{"Host: server.example.com",
                                       "Upgrade: websocket",
                                       "Connection: Upgrade",
                                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                                       "Sec-WebSocket-Protocol: chat, mqtt",
                                       "Sec-WebSocket-Version: 13"};

std::string request(const std::string& line = "GET /mqtt HTTP/1.1", const std::string& replaced = "",
                    const std::string& field = "") {
  std::string text = line + "\r\n";
  for (const std::string& one : kFields) {
    if (replaced.empty() || !one.starts_with(replaced + ":")) text += one + "\r\n";
  }
  return text + (field.empty() ? "" : field + "\r\n") + "\r\n";
}

Upgrade::State feed(Upgrade& upgrade, std::string_view text) {
  return upgrade.on_bytes(broker::as_bytes(text));
}

void expect_refused(const std::string& text, const std::string& status, UpgradeRules rules = {}) {
  Upgrade upgrade(std::move(rules));
  EXPECT_EQ(feed(upgrade, text), Upgrade::State::Refused) << text;
  EXPECT_THAT(upgrade.answer(), StartsWith("HTTP/1.1 " + status));
  EXPECT_THAT(upgrade.refusal(), HasSubstr(status.substr(0, 3)));
}

TEST(Upgrade, AcceptsWithTheKeyOfTheSpecification) {
  Upgrade upgrade({});
  EXPECT_EQ(feed(upgrade, request()), Upgrade::State::Accepted);
  EXPECT_THAT(upgrade.answer(), StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(upgrade.answer(), HasSubstr("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
  EXPECT_THAT(upgrade.answer(), HasSubstr("Sec-WebSocket-Protocol: mqtt\r\n"));
}

TEST(Upgrade, TakesAnyPathAndAnySplitAndKeepsWhatFollows) {
  Upgrade upgrade({});
  const std::string text = request("GET /some/where?x=1 HTTP/1.1");
  for (const char byte : text.substr(0, text.size() - 1))
    ASSERT_EQ(feed(upgrade, {&byte, 1}), Upgrade::State::NeedMore);
  EXPECT_EQ(feed(upgrade, "\nabc"), Upgrade::State::Accepted);
  EXPECT_EQ(broker::as_text(upgrade.rest()), "abc");
}

TEST(Upgrade, OldClientsOfferMqttv31) {
  Upgrade upgrade({});
  feed(upgrade, request("GET / HTTP/1.1", "Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: mqttv3.1"));
  EXPECT_THAT(upgrade.answer(), HasSubstr("Sec-WebSocket-Protocol: mqttv3.1\r\n"));
}

TEST(Upgrade, RefusesWhatOpensNoWebSocket) {
  expect_refused("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "426 Upgrade Required");
  expect_refused(request("GET / HTTP/1.1", "Sec-WebSocket-Version", "Sec-WebSocket-Version: 8"), "426");
  expect_refused(request("POST / HTTP/1.1"), "405");
  expect_refused(request("GET / HTTP/1.0"), "400");
  expect_refused(request("GET / HTTP/1.1", "Host"), "400");
  expect_refused(request("GET / HTTP/1.1", "Sec-WebSocket-Key"), "400");
  expect_refused(request("GET / HTTP/1.1", "Sec-WebSocket-Key", "Sec-WebSocket-Key: short"), "400");
  expect_refused(
      request("GET / HTTP/1.1", "Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!Q=="), "400");
  expect_refused(request("GET / HTTP/1.1", "Sec-WebSocket-Protocol"), "400");
  expect_refused(request("GET / HTTP/1.1", "Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: chat"), "400");
  expect_refused(request("GET / HTTP/1.1", "", "Content-Length: 5"), "400");
  expect_refused("\x01\x02 nonsense\r\n\r\n", "400");
  expect_refused("GET / SMTP/1.1\r\n\r\n", "400");
}

TEST(Upgrade, TellsClientsOfOtherListenersWhereTheyBelong) {
  Upgrade tls({});
  feed(tls, std::string_view("\x16\x03\x01", 3));
  EXPECT_THAT(tls.refusal(), HasSubstr("wss"));
  Upgrade mqtt({});
  feed(mqtt, std::string_view("\x10\x0d\x00\x04MQTT", 8));
  EXPECT_THAT(mqtt.refusal(), HasSubstr("mqtt listener"));
}

TEST(Upgrade, AHeaderWithoutEndIsRefusedAtItsLimit) {
  Upgrade upgrade({});
  auto state = feed(upgrade, "GET / HTTP/1.1\r\nHost: x\r\nX-Long: ");
  std::size_t sent = 0;
  for (; state == Upgrade::State::NeedMore && sent < 2 * kMaxHeaderBytes; sent += 512)
    state = feed(upgrade, std::string(512, 'a'));
  EXPECT_EQ(state, Upgrade::State::Refused);
  EXPECT_THAT(upgrade.answer(), StartsWith("HTTP/1.1 431"));
  EXPECT_LE(sent, kMaxHeaderBytes + 512);
}

TEST(Upgrade, OriginsOtherThanTheAllowedAreForbidden) {
  const UpgradeRules rules{{"https://app.example.com"}};
  expect_refused(request("GET / HTTP/1.1", "", "Origin: https://evil.example.com"), "403 Forbidden", rules);
  expect_refused(request("GET / HTTP/1.1", "", "Origin: null"), "403", rules);
  Upgrade own(rules);
  EXPECT_EQ(feed(own, request("GET / HTTP/1.1", "", "Origin: https://APP.example.com")),
            Upgrade::State::Accepted);
  Upgrade no_browser(rules);
  EXPECT_EQ(feed(no_browser, request()), Upgrade::State::Accepted);
}

}  // namespace
}  // namespace wake::gateway::websocket
