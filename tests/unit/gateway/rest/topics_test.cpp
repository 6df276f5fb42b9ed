#include "rest_fixture.hpp"

namespace wake::gateway::rest {
namespace {

class Topics : public RestTest {
 protected:
  void SetUp() override { pair(ann_, camera_); }
  const std::string ann_ = add_user("ann");
  const std::string bob_ = add_user("bob");
  const std::string camera_ = add_device("CAM1");
  Answer add(const json& body) { return send("POST", "/v1/me/topics", ann_, body); }
};

TEST_F(Topics, EntryIsMadeChangedListedAndRemoved) {
  const Answer made =
      add({{"filter", "a/CAM1/b"}, {"title", "Door"}, {"push", {{"mode", "always"}, {"ttl", 60}}}});
  ASSERT_EQ(made.status, 201) << made.raw;
  EXPECT_EQ(made.body["device_id"], "CAM1");
  EXPECT_EQ(made.body["push"]["mode"], "always");
  EXPECT_EQ(made.body["push"]["style"], "alert");
  const std::string path = "/v1/me/topics/" + made.body["id"].get<std::string>();
  const Answer changed = send("PATCH", path, ann_, {{"subscribed", false}, {"push", {{"style", "silent"}}}});
  ASSERT_EQ(changed.status, 200) << changed.raw;
  EXPECT_EQ(changed.body["push"]["mode"], "always");
  EXPECT_EQ(changed.body["push"]["ttl"], 60);
  EXPECT_EQ(changed.body["push"]["style"], "silent");
  EXPECT_EQ(changed.body["title"], "Door");
  EXPECT_EQ(send("GET", "/v1/me/topics?subscribed=true", ann_).body["items"].size(), 0U);
  EXPECT_EQ(send("GET", "/v1/me/topics?subscribed=false&device=CAM1", ann_).body["items"].size(), 1U);
  EXPECT_EQ(send("DELETE", path, bob_).status, 404);
  EXPECT_EQ(send("PATCH", path, bob_, {{"title", "x"}}).status, 404);
  EXPECT_EQ(send("DELETE", path, ann_).status, 204);
  EXPECT_EQ(port_.count("refresh 1"), 4);  // paired, made, changed, removed
}

TEST_F(Topics, FilterMustBePermittedValidAndNew) {
  EXPECT_EQ(add({{"filter", "a/CAM2/b"}}).status, 403);
  EXPECT_EQ(add({{"filter", "#"}}).status, 403);
  EXPECT_EQ(add({{"filter", "a/#/CAM1"}}).body["field"], "filter");
  EXPECT_EQ(add({{"filter", "$SYS/CAM1"}}).status, 422);
  EXPECT_EQ(add({{"filter", "a/CAM1"}}).status, 201);
  EXPECT_EQ(add({{"filter", "a/CAM1"}}).status, 409);
  EXPECT_EQ(add({{"filter", "CAM1/" + std::string(1019, 'x')}}).status, 201);
  EXPECT_EQ(add({{"filter", "CAM1/" + std::string(1020, 'x')}}).body["field"], "filter");
}

TEST_F(Topics, RuleWithTheUsersNamePermitsMore) {
  sql("INSERT INTO acl_rules (subject, action, filter) VALUES ('user', 'subscribe', 'news/%u/#')");
  EXPECT_EQ(add({{"filter", "news/ann/today"}}).status, 201);
  EXPECT_EQ(add({{"filter", "news/bob/today"}}).status, 403);
}

TEST_F(Topics, ABackEndGivesWhatItVouchesFor) {
  const std::string admin = add_key({"admin"});
  const std::string path = "/v1/users/ann/topics";
  const Answer given = send("POST", path, admin, {{"filter", "news/all"}, {"title", "News"}});
  ASSERT_EQ(given.status, 201) << given.raw;
  EXPECT_TRUE(port_.was_asked("refresh 1"));
  EXPECT_EQ(sql("SELECT granted FROM topic_entries WHERE filter = 'news/all'"), "t");
  EXPECT_EQ(send("POST", path, admin, {{"filter", "y/CAM1"}}).body["device_id"], "CAM1");
  EXPECT_EQ(sql("SELECT granted FROM topic_entries WHERE filter = 'y/CAM1'"), "f")
      << "what a pairing covers goes with it";
  const std::string one = "/" + given.body["id"].get<std::string>();
  EXPECT_EQ(send("PATCH", "/v1/me/topics" + one, ann_, {{"subscribed", false}}).status, 200);
  EXPECT_EQ(send("PATCH", "/v1/me/topics" + one, ann_, {{"filter", "news/#"}}).status, 403);
  EXPECT_EQ(send("PATCH", path + one, admin, {{"title", "All news"}}).body["title"], "All news");
  EXPECT_EQ(send("GET", path + "?subscribed=false", admin).body["items"].size(), 1U);
  EXPECT_EQ(send("DELETE", path + one, admin).status, 204);
  EXPECT_EQ(send("GET", path, ann_).status, 403);
  EXPECT_EQ(send("GET", "/v1/users/nobody/topics", admin).status, 404);
}

TEST_F(Topics, TellTheNewestMessageAndWhatIsUnread) {
  const Answer made = add({{"filter", "a/CAM1"}});
  EXPECT_TRUE(made.body["last_message"].is_null());
  EXPECT_EQ(made.body["unread"], 0);
  // Ids begin with the milliseconds since 2026: these are of its first three seconds.
  sql("INSERT INTO messages SELECT (s * 1000::bigint) << 20, 'a/CAM1', '', 1, false, '', '', now(), "
      "'infinity'"
      " FROM generate_series(1, 3) s");
  sql("INSERT INTO inbox SELECT 1, id, " + made.body["id"].get<std::string>() +
      ", now() + interval '1 hour' FROM messages");
  const auto entry = [&] { return send("GET", "/v1/me/topics", ann_).body["items"][0]; };
  EXPECT_EQ(entry()["unread"], 3);
  EXPECT_EQ(entry()["last_message"]["at"], "2026-01-01T00:00:03.000Z");
  const std::string newest = entry()["last_message"]["id"];
  EXPECT_EQ(send("POST", "/v1/me/messages/ack", ann_, {{"up_to", newest}}).body["acknowledged"], 3);
  EXPECT_EQ(entry()["unread"], 0);
  EXPECT_EQ(entry()["last_message"]["id"], newest) << "read, and still the newest";
}

TEST_F(Topics, BadPolicyNamesTheField) {
  const auto field = [&](const json& push) {
    const Answer answer = add({{"filter", "a/CAM1"}, {"push", push}});
    return std::to_string(answer.status) + " " + answer.body.value("field", "");
  };
  EXPECT_EQ(field({{"mode", "sometimes"}}), "422 push.mode");
  EXPECT_EQ(field({{"colour", "red"}}), "422 push.colour");
  EXPECT_EQ(field({{"quiet_hours", {{"start", "25:00"}, {"end", "07:00"}, {"tz", "UTC"}}}}),
            "422 push.quiet_hours.start");
  EXPECT_EQ(field({{"quiet_hours", {{"start", "22:00"}, {"end", "07:00"}, {"tz", "Europe/Atlantis"}}}}),
            "422 push.quiet_hours.tz");
  EXPECT_EQ(field(7), "422 push");
  EXPECT_EQ(add({{"filter", "a/CAM1"}, {"device_id", "CAM2"}}).body["field"], "device_id");
}

TEST_F(Topics, ArePagedById) {
  for (int i = 0; i < 5; ++i) ASSERT_EQ(add({{"filter", "CAM1/" + std::to_string(i)}}).status, 201);
  const Answer first = send("GET", "/v1/me/topics?limit=3", ann_);
  ASSERT_EQ(first.body["items"].size(), 3U);
  const Answer rest =
      send("GET", "/v1/me/topics?limit=3&after=" + first.body["next"].get<std::string>(), ann_);
  EXPECT_EQ(rest.body["items"].size(), 2U);
  EXPECT_EQ(send("GET", "/v1/me/topics?after=x", ann_).body["field"], "after");
}

}  // namespace
}  // namespace wake::gateway::rest
