#include "rest_fixture.hpp"

namespace wake::gateway::rest {
namespace {

class Messages : public RestTest {
 protected:
  void SetUp() override {
    sql("INSERT INTO acl_rules (subject, action, filter) VALUES ('user', 'subscribe', '#')");
  }
  const std::string ann_ = add_user("ann");
  const std::string bob_ = add_user("bob");
  void store(int id, const std::string& topic, const std::string& payload_sql,
             const std::string& expires = "2099-01-01T00:00:00Z") {
    sql("INSERT INTO messages (id, topic, payload, qos, retain, at, expires_at) VALUES (" +
        std::to_string(id) + ", '" + topic + "', " + payload_sql +
        ", 1, false, '2026-01-02T03:04:05.678Z', 'infinity');" +
        " INSERT INTO inbox (user_id, message_id, expires_at) VALUES (1, " + std::to_string(id) + ", '" +
        expires + "')");
  }
};

TEST_F(Messages, TextAndBytesAreTold) {
  store(1, "a", "convert_to('你好', 'UTF8')");
  store(2, "a", "'\\xff00'");
  const json items = send("GET", "/v1/me/messages", ann_).body["items"];
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0], (json{{"id", "1"},
                            {"topic", "a"},
                            {"payload", "你好"},
                            {"enc", "utf8"},
                            {"qos", 1},
                            {"retain", false},
                            {"at", "2026-01-02T03:04:05.678Z"},
                            {"expires_at", "2099-01-01T00:00:00.000Z"}}));
  EXPECT_EQ(items[1]["payload"], "/wA=");
  EXPECT_EQ(items[1]["enc"], "base64");
}

TEST_F(Messages, ArePagedByTopicAndOnlyTheirUsers) {
  for (int id = 1; id <= 5; ++id) store(id, id % 2 == 0 ? "even" : "odd", "'x'");
  store(6, "odd", "'x'", "2020-01-01");
  const Answer first = send("GET", "/v1/me/messages?limit=2&topic=odd", ann_);
  EXPECT_EQ(first.body["next"], "3");
  EXPECT_EQ(send("GET", "/v1/me/messages?topic=odd&after=3", ann_).body["items"].size(), 1U);
  EXPECT_EQ(send("GET", "/v1/me/messages", bob_).body["items"].size(), 0U);
  EXPECT_EQ(send("GET", "/v1/me/messages/1", ann_).body["id"], "1");
  EXPECT_EQ(send("GET", "/v1/me/messages/1", bob_).status, 404);
  EXPECT_EQ(send("GET", "/v1/me/messages/6", ann_).status, 404);
}

TEST_F(Messages, AreNotShownWhenThePermissionIsGone) {
  store(1, "home/CAM1/door", "'x'");
  store(2, "news", "'x'");
  sql("INSERT INTO topic_entries (user_id, filter, granted) VALUES (1, 'news', true)");
  EXPECT_EQ(send("GET", "/v1/me/messages", ann_).body["items"].size(), 2U);
  sql("DELETE FROM acl_rules");
  const json left = send("GET", "/v1/me/messages", ann_).body["items"];
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0]["topic"], "news") << "the back end vouches for it";
  EXPECT_EQ(send("GET", "/v1/me/messages/1", ann_).status, 404);
  EXPECT_EQ(send("GET", "/v1/me/messages/2", ann_).status, 200);
}

TEST_F(Messages, PageIsBoundedInBytes) {
  for (int id = 1; id <= 6; ++id) store(id, "big", "convert_to(repeat('x', 1000000), 'UTF8')");
  const Answer first = send("GET", "/v1/me/messages", ann_);
  EXPECT_EQ(first.body["items"].size(), 5U);
  EXPECT_EQ(first.body["next"], "5");
  EXPECT_EQ(send("GET", "/v1/me/messages?after=5", ann_).body["items"].size(), 1U);
}

TEST_F(Messages, AckByIdsAndUpTo) {
  for (int id = 1; id <= 4; ++id) store(id, "a", "'x'");
  EXPECT_EQ(send("POST", "/v1/me/messages/ack", bob_, {{"up_to", "4"}}).body["acknowledged"], 0);
  EXPECT_EQ(send("POST", "/v1/me/messages/ack", ann_, {{"ids", {"3", "99"}}}).body["acknowledged"], 1);
  EXPECT_TRUE(port_.was_asked("acked 1 3"));
  EXPECT_EQ(send("POST", "/v1/me/messages/ack", ann_, {{"up_to", "2"}}).body["acknowledged"], 2);
  EXPECT_EQ(sql("SELECT string_agg(message_id::text, ',') FROM inbox"), "4");
  EXPECT_EQ(send("POST", "/v1/me/messages/ack", ann_, json::object()).status, 422);
  EXPECT_EQ(send("POST", "/v1/me/messages/ack", ann_, {{"up_to", 2}}).body["field"], "up_to");
  EXPECT_EQ(send("POST", "/v1/me/messages/ack", ann_, {{"ids", {"x"}}}).body["field"], "ids[0]");
}

}  // namespace
}  // namespace wake::gateway::rest
