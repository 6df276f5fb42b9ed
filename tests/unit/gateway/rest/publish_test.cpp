#include "rest_fixture.hpp"

namespace wake::gateway::rest {
namespace {

class PublishCall : public RestTest {
 protected:
  const std::string key_ = add_key({"publish"}, {"shop/#"});
  Answer publish(const json& body) { return send("POST", "/v1/publish", key_, body); }
};

TEST_F(PublishCall, IsAnsweredWithTheSettledMessage) {
  const Answer done =
      publish({{"topic", "shop/1"}, {"payload", "hi"}, {"title", "T"}, {"ttl", 60}, {"retain", true}});
  ASSERT_EQ(done.status, 200) << done.raw;
  EXPECT_EQ(done.body["message_id"], "77");
  EXPECT_TRUE(port_.last_published.retain);
  EXPECT_EQ(port_.last_published.qos, broker::Qos::AtLeastOnce);
  EXPECT_EQ(port_.last_published.properties, std::string("\x26\0\x0awake-title\0\x01T\x26\0\x08wake-ttl\0\x02"
                                                         "60",
                                                         31));
}

TEST_F(PublishCall, TakesBytesAsBase64) {
  EXPECT_EQ(publish({{"topic", "shop/1"}, {"payload_base64", "/wA="}}).status, 200);
  EXPECT_EQ(port_.last_published.payload, std::string("\xff\0", 2));
  EXPECT_EQ(publish({{"topic", "shop/1"}, {"payload_base64", "/wA"}}).body["field"], "payload_base64");
  EXPECT_EQ(publish({{"topic", "shop/1"}, {"payload", "a"}, {"payload_base64", "/wA="}}).body["field"],
            "payload");
  EXPECT_EQ(publish({{"topic", "shop/1"}}).body["field"], "payload");
}

TEST_F(PublishCall, TakesAnyTextAsPayload) {
  const std::string text("a\0b", 3);
  EXPECT_EQ(publish({{"topic", "shop/1"}, {"payload", text}}).status, 200);
  EXPECT_EQ(port_.last_published.payload, text);
  const Answer number = publish({{"topic", "shop/1"}, {"payload", 7}});
  EXPECT_EQ(number.body["detail"], "payload: expected a string.");
}

TEST_F(PublishCall, KeepsToTheKeysFilters) {
  EXPECT_EQ(publish({{"topic", "bank/1"}, {"payload", "x"}}).status, 403);
  EXPECT_EQ(publish({{"topic", "shop/+"}, {"payload", "x"}}).body["field"], "topic");
  EXPECT_EQ(publish({{"topic", "shop/1"}, {"payload", "x"}, {"qos", 3}}).body["field"], "qos");
  EXPECT_EQ(publish({{"topic", "shop/1"}, {"payload", std::string(1024 * 1024 + 1, 'x')}}).status, 413);
}

TEST_F(PublishCall, SaysWhenItWasNotTaken) {
  port_.publish_outcome = PublishOutcome::StorageAway;
  const Answer away = publish({{"topic", "shop/1"}, {"payload", "x"}});
  EXPECT_EQ(away.status, 503);
  EXPECT_NE(away.header("retry-after"), "");
  port_.publish_outcome = PublishOutcome::QuotaExceeded;
  EXPECT_EQ(publish({{"topic", "shop/1"}, {"payload", "x"}}).status, 429);
}

}  // namespace
}  // namespace wake::gateway::rest
