#include "rest_fixture.hpp"

namespace wake::gateway::rest {
namespace {

class Phones : public RestTest {
 protected:
  const std::string ann_ = add_user("ann");
  const std::string bob_ = add_user("bob");
  static json fcm(const std::string& token) {
    return {{"platform", "fcm"}, {"app_id", "app"}, {"token", token}};
  }
};

TEST_F(Phones, PutIsIdempotentAndKeepsMessagesFromTheStart) {
  const Answer made = send("PUT", "/v1/me/phones/p1", ann_, fcm("t1"));
  ASSERT_EQ(made.status, 201) << made.raw;
  EXPECT_EQ(made.body["client_id"], "p1");
  EXPECT_FALSE(made.body.contains("token"));
  EXPECT_EQ(send("PUT", "/v1/me/phones/p1", ann_, fcm("t1")).status, 200);
  EXPECT_EQ(sql("SELECT count(*) FROM phones"), "1");
  EXPECT_EQ(
      sql("SELECT principal_kind || principal_id || ' ' || expiry_s FROM sessions WHERE client_id = 'p1'"),
      "user1 4294967295");
  EXPECT_EQ(port_.count("refresh 1"), 2);
}

TEST_F(Phones, TokenMovesToWhoRegistersItLast) {
  send("PUT", "/v1/me/phones/p1", ann_, fcm("t1"));
  ASSERT_EQ(send("PUT", "/v1/me/phones/p2", bob_, fcm("t1")).status, 201);
  EXPECT_EQ(send("GET", "/v1/me/phones/p1", ann_).body["has_token"], false);
  EXPECT_EQ(send("GET", "/v1/me/phones/p2", bob_).body["has_token"], true);
  EXPECT_EQ(port_.count("refresh 1"), 2);
}

TEST_F(Phones, ApnsTokenIsHexInLowerCase) {
  json body = {{"platform", "apns"}, {"app_id", "app"}, {"token", "ABCDEF01"}, {"environment", "sandbox"}};
  ASSERT_EQ(send("PUT", "/v1/me/phones/p1", ann_, body).status, 201);
  EXPECT_EQ(sql("SELECT token || environment FROM phones"), "abcdef01sandbox");
  body["token"] = "not hex";
  EXPECT_EQ(send("PUT", "/v1/me/phones/p1", ann_, body).body["field"], "token");
}

TEST_F(Phones, ForeignClientIdIsRefused) {
  send("PUT", "/v1/me/phones/p1", ann_, fcm("t1"));
  const Answer answer = send("PUT", "/v1/me/phones/p1", bob_, fcm("t2"));
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.body["field"], "client_id");
  sql("INSERT INTO sessions (client_id, principal_kind, principal_id, expiry_s) VALUES ('cam', 'device', "
      "'X', 60)");
  EXPECT_EQ(send("PUT", "/v1/me/phones/cam", bob_, fcm("t2")).status, 409);
  EXPECT_EQ(sql("SELECT count(*) FROM phones"), "1");
}

TEST_F(Phones, ClientIdOfAnotherOwnPhoneIsSaidToBeThat) {
  ASSERT_EQ(send("PUT", "/v1/me/phones/p1", ann_, fcm("t1")).status, 201);
  json body = fcm("t2");
  body["client_id"] = "p1";
  const Answer refused = send("PUT", "/v1/me/phones/p2", ann_, body);
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(refused.body["detail"].get<std::string>().find("Another of your phones"), std::string::npos);
}

TEST_F(Phones, AnAppThatNobodyConfiguredIsTakenAndSaidToBeMissing) {
  const json unknown = send("PUT", "/v1/me/phones/p1", ann_, fcm("t1")).body["push"];
  EXPECT_EQ(unknown["ready"], false);
  EXPECT_EQ(unknown["detail"], "no [[push.app]] is configured for app/fcm");
  port_.readiness_answer.parts = {{"push:app/fcm", false, "secret of the operator"}};
  EXPECT_EQ(send("PUT", "/v1/me/phones/p1", ann_, fcm("t1")).body["push"]["detail"],
            "the provider does not take pushes now; they wait");
  port_.readiness_answer.parts = {{"push:app/fcm", true, ""}};
  EXPECT_EQ(send("PUT", "/v1/me/phones/p1", ann_, fcm("t1")).body["push"], (json{{"ready", true}}));
}

TEST_F(Phones, TestOfAPhoneWhoseTokenMovedSaysSo) {
  send("PUT", "/v1/me/phones/p1", ann_, fcm("t1"));
  send("PUT", "/v1/me/phones/p2", bob_, fcm("t1"));
  const Answer refused = send("POST", "/v1/me/phones/p1/test", ann_);
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(refused.body["detail"].get<std::string>().find("another phone registered it"), std::string::npos);
}

TEST_F(Phones, TestTakesNoFields) {
  send("PUT", "/v1/me/phones/p1", ann_, fcm("t1"));
  EXPECT_EQ(send("POST", "/v1/me/phones/p1/test", ann_, {{"title", "x"}}).status, 422);
  EXPECT_EQ(send("POST", "/v1/me/phones/p1/test", ann_, json::object()).status, 200);
}

TEST_F(Phones, AUserHasOnlySoMany) {
  for (int i = 1; i <= 100; ++i) {
    EXPECT_EQ(send("PUT", "/v1/me/phones/p" + std::to_string(i), ann_, fcm("t" + std::to_string(i))).status,
              201);
  }
  const Answer refused = send("PUT", "/v1/me/phones/p101", ann_, fcm("t101"));
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.body["field"], "phone_id");
  EXPECT_EQ(send("PUT", "/v1/me/phones/p100", ann_, fcm("fresh")).status, 200) << "one that is there";
  EXPECT_EQ(send("DELETE", "/v1/me/phones/p1", ann_).status, 204);
  EXPECT_EQ(send("PUT", "/v1/me/phones/p101", ann_, fcm("t101")).status, 201);
}

TEST_F(Phones, NewClientIdLeavesTheOldSession) {
  send("PUT", "/v1/me/phones/p1", ann_, fcm("t1"));
  json body = fcm("t1");
  body["client_id"] = "fresh";
  EXPECT_EQ(send("PUT", "/v1/me/phones/p1", ann_, body).status, 200);
  EXPECT_EQ(sql("SELECT string_agg(client_id, ',') FROM sessions"), "fresh");
  EXPECT_TRUE(port_.was_asked("kick p1"));
}

TEST_F(Phones, EnvironmentThatWasFoundOutStays) {
  json body = {{"platform", "apns"}, {"app_id", "app"}, {"token", "aa"}};
  send("PUT", "/v1/me/phones/p1", ann_, body);
  sql("UPDATE phones SET environment = 'sandbox', environment_proven = true");
  EXPECT_EQ(send("PUT", "/v1/me/phones/p1", ann_, body).body["environment"], "sandbox");
  EXPECT_EQ(sql("SELECT environment_proven FROM phones"), "t");
  body["token"] = "bb";
  EXPECT_EQ(send("PUT", "/v1/me/phones/p1", ann_, body).body["environment"], "production");
  EXPECT_EQ(sql("SELECT environment_proven FROM phones"), "f");
}

TEST_F(Phones, AreListedInPagesAndOnlyToTheirUser) {
  for (const char* id : {"a", "b", "c"}) send("PUT", "/v1/me/phones/" + std::string(id), ann_, fcm(id));
  const Answer first = send("GET", "/v1/me/phones?limit=2", ann_);
  ASSERT_EQ(first.body["items"].size(), 2U);
  EXPECT_EQ(first.body["next"], "b");
  const Answer second = send("GET", "/v1/me/phones?limit=2&after=b", ann_);
  EXPECT_EQ(second.body["items"].size(), 1U);
  EXPECT_TRUE(second.body["next"].is_null());
  EXPECT_EQ(send("GET", "/v1/me/phones", bob_).body["items"].size(), 0U);
  EXPECT_EQ(send("GET", "/v1/me/phones/a", bob_).status, 404);
  EXPECT_EQ(send("DELETE", "/v1/me/phones/a", bob_).status, 404);
  EXPECT_EQ(send("GET", "/v1/me/phones?limit=0", ann_).status, 422);
  EXPECT_EQ(send("GET", "/v1/me/phones?limt=5", ann_).body["field"], "limt");
}

TEST_F(Phones, DeleteTakesTheSessionAlong) {
  send("PUT", "/v1/me/phones/p1", ann_, fcm("t1"));
  EXPECT_EQ(send("DELETE", "/v1/me/phones/p1", ann_).status, 204);
  EXPECT_EQ(sql("SELECT count(*) FROM sessions"), "0");
  EXPECT_TRUE(port_.was_asked("kick p1"));
  EXPECT_EQ(send("DELETE", "/v1/me/phones/p1", ann_).status, 404);
}

TEST_F(Phones, PresenceReachesTheGateway) {
  send("PUT", "/v1/me/phones/p1", ann_, fcm("t1"));
  EXPECT_EQ(send("PUT", "/v1/me/phones/p1/presence", ann_, {{"state", "background"}}).status, 200);
  EXPECT_TRUE(port_.was_asked("presence p1 background"));
  EXPECT_EQ(send("PUT", "/v1/me/phones/p1/presence", ann_, {{"state", "asleep"}}).body["field"], "state");
  EXPECT_EQ(send("PUT", "/v1/me/phones/p1/presence", bob_, {{"state", "background"}}).status, 404);
}

TEST_F(Phones, TestPushAnswersTheVerdict) {
  send("PUT", "/v1/me/phones/p1", ann_, fcm("t1"));
  EXPECT_EQ(send("POST", "/v1/me/phones/p1/test", ann_).body["verdict"], "accepted");
  sql("UPDATE phones SET token = NULL");
  EXPECT_EQ(send("POST", "/v1/me/phones/p1/test", ann_).status, 409);
}

TEST_F(Phones, BadInputNamesTheField) {
  const std::vector<std::pair<json, std::string>> cases = {
      {{{"platform", "wns"}, {"app_id", "app"}, {"token", "t"}}, "platform"},
      {{{"platform", "fcm"}, {"token", "t"}}, "app_id"},
      {{{"platform", "fcm"}, {"app_id", "app"}}, "token"},
      {{{"platform", "fcm"}, {"app_id", "app"}, {"token", "a b"}}, "token"},
      {{{"platform", "fcm"}, {"app_id", "app"}, {"token", "t"}, {"client_id", "a#"}}, "client_id"},
      {{{"platform", "fcm"}, {"app_id", "app"}, {"token", "t"}, {"tokn_kind", "fid"}}, "tokn_kind"},
  };
  for (const auto& [body, field] : cases) {
    const Answer answer = send("PUT", "/v1/me/phones/p1", ann_, body);
    EXPECT_EQ(answer.status, 422) << body;
    EXPECT_EQ(answer.body["field"], field) << body;
  }
  EXPECT_EQ(send("PUT", "/v1/me/phones/a%2Fb", ann_, fcm("t")).status, 422);
  EXPECT_EQ(send("PUT", "/v1/me/phones/a%zz", ann_, fcm("t")).status, 400);
}

}  // namespace
}  // namespace wake::gateway::rest
