// The two rule books behind the shared Service: what they remember per connection, and scripted replies.
#include "tests/sim/service.hpp"

#include <gtest/gtest.h>

#include "tests/sim/apns_service.hpp"
#include "tests/sim/fcm_service.hpp"
#include "tests/sim/test_keys.hpp"

namespace wake::sim {
namespace {

using Json = nlohmann::json;

struct ApnsServiceTest : testing::Test {
  ApnsServiceTest() {
    for (const auto& row : test_apns_keys()) {
      EVP_PKEY_up_ref(row.key.get());
      keys.apns.push_back({row.key_id, row.team_id, row.environment, {}, Key(row.key.get())});
    }
    service.on_open(1);
  }
  Request push_to(const std::string& token, const std::string& authorization) const {
    return post("/3/device/" + token, {{"authorization", authorization}, {"apns-topic", "com.example.cam"}},
                R"({"aps":{"alert":"x"}})");
  }
  Verdict judge(const std::string& token) { return service.judge(push_to(token, good), kNoon); }

  Keys keys;
  Settings settings;
  ApnsService service{keys, "production", settings};
  std::string good = bearer(0, kNoon);
};

TEST_F(ApnsServiceTest, OneStreamUntilAValidTokenWasSeen) {
  EXPECT_EQ(service.stream_limit(1), 1u);
  EXPECT_EQ(service.judge(push_to("ab", "bearer bad"), kNoon).reason, "InvalidProviderToken");
  EXPECT_EQ(service.stream_limit(1), 1u);
  EXPECT_TRUE(judge("ab").accepted());
  EXPECT_EQ(service.stream_limit(1), 1000u);
  EXPECT_EQ(service.stream_limit(2), 1u);
}

TEST_F(ApnsServiceTest, FewerStreamsAfterManyRefusalsUntilOneIsTaken) {
  settings.refusals_to_shrink = 2;
  EXPECT_TRUE(judge("ab").accepted());
  for (const int status : {400, 410, 410}) service.on_answered(1, status);
  EXPECT_EQ(service.stream_limit(1), 1000u);
  service.on_answered(1, 400);
  EXPECT_EQ(service.stream_limit(1), 1u);
  service.on_answered(1, 200);
  EXPECT_EQ(service.stream_limit(1), 1000u);
}

TEST_F(ApnsServiceTest, KnowsWhereADeclaredTokenBelongs) {
  service.declare({{"token", "AB"}, {"environment", "sandbox"}});
  service.declare({{"token", "cd"}, {"topic", "com.example.other"}});
  EXPECT_EQ(judge("ab").reason, "BadDeviceToken");
  EXPECT_EQ(judge("cd").reason, "DeviceTokenNotForTopic");
  EXPECT_TRUE(judge("ef").accepted());
  EXPECT_THROW(service.declare({{"token", "zz"}}), std::invalid_argument);
}

TEST_F(ApnsServiceTest, LimitsWhatOnePhoneGetsInAMinute) {
  settings.device_per_minute = 1;
  EXPECT_TRUE(judge("ab").accepted());
  EXPECT_EQ(judge("ab").reason, "TooManyRequests");
  EXPECT_TRUE(judge("cd").accepted());
}

TEST_F(ApnsServiceTest, ScriptsAnyReasonInApplesShape) {
  auto verdict = judge("ab");
  service.script(verdict, parse_answer(R"({"reason":"Unregistered","timestamp":5})"_json), kNoon);
  EXPECT_EQ(verdict.reply.status, 410);
  EXPECT_EQ(Json::parse(verdict.reply.body), (Json{{"reason", "Unregistered"}, {"timestamp", 5}}));
  verdict = judge("ab");
  service.script(verdict, parse_answer(R"({"status":418,"reason":"Unheard"})"_json), kNoon);
  EXPECT_EQ(verdict.reply.status, 418);
  EXPECT_EQ(Json::parse(verdict.reply.body)["reason"], "Unheard");
}

struct FcmServiceTest : testing::Test {
  Request send(const std::string& authorization, const std::string& project = "project-1") const {
    return post("/v1/projects/" + project + "/messages:send", {{"authorization", authorization}},
                R"({"message":{"token":"t1","data":{"wake_id":"m1"}}})");
  }
  ServiceAccount account = test_account();
  Settings settings;
  FcmService service{account, settings};
  std::string good = service.credential(kNoon);
};

TEST_F(FcmServiceTest, TakesAPushWithAnAccessTokenItHandedOut) {
  const auto verdict = service.judge(send(good), kNoon);
  EXPECT_TRUE(verdict.accepted());
  EXPECT_EQ(verdict.target, "t1");
  EXPECT_TRUE(verdict.push.has_value());
  EXPECT_TRUE(service.judge(send(good, "123456"), kNoon).accepted()) << "the project's number will do";
}

TEST_F(FcmServiceTest, RefusesStaleForeignAndForbiddenAccess) {
  EXPECT_EQ(service.judge(send("Bearer nothing"), kNoon).reply.status, 401);
  EXPECT_EQ(service.judge(send(good), kNoon + std::chrono::hours(1)).reply.status, 401);
  EXPECT_EQ(service.judge(send(good, "other"), kNoon).reply.status, 404);
  settings.permission_denied = true;
  EXPECT_EQ(service.judge(send(good), kNoon).reply.status, 403);
}

TEST_F(FcmServiceTest, AnswersAPageWhereThereIsNoApi) {
  const auto verdict = service.judge(post("/fcm/send", {}, ""), kNoon);
  EXPECT_EQ(verdict.reply.status, 404);
  EXPECT_TRUE(verdict.reply.body.starts_with("<!DOCTYPE html>"));
}

TEST_F(FcmServiceTest, ScriptsRefusalsOfBothEndpoints) {
  auto verdict = service.judge(send(good), kNoon);
  service.script(verdict, parse_answer(R"({"reason":"SENDER_ID_MISMATCH"})"_json), kNoon);
  EXPECT_EQ(verdict.reply.status, 403);
  EXPECT_EQ(verdict.reason, "SENDER_ID_MISMATCH");
  verdict.target = "oauth";
  service.script(verdict, parse_answer(R"({"reason":"invalid_grant"})"_json), kNoon);
  EXPECT_EQ(verdict.reply.status, 400);
  EXPECT_EQ(Json::parse(verdict.reply.body)["error"], "invalid_grant");
}

TEST_F(FcmServiceTest, HoldsOnePhoneOrTheWholeProjectToItsRate) {
  settings.device_per_minute = 1;
  EXPECT_TRUE(service.judge(send(good), kNoon).accepted());
  const auto refused = service.judge(send(good), kNoon);
  EXPECT_EQ(refused.reply.status, 429);
  EXPECT_EQ(refused.reason, "QUOTA_EXCEEDED");
  EXPECT_TRUE(service.judge(send(good), kNoon + std::chrono::minutes(1)).accepted());
}

}  // namespace
}  // namespace wake::sim
