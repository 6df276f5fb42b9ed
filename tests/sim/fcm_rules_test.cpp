#include "tests/sim/fcm_rules.hpp"

#include <gtest/gtest.h>

#include "tests/sim/test_keys.hpp"

namespace wake::sim::fcm {
namespace {

using Json = nlohmann::json;

Checked check(const Json& message) {
  return check_message(post("/v1/projects/p/messages:send", {}, Json{{"message", message}}.dump()), "p",
                       kNoon);
}
/// The field named in the refusal, or "taken".
std::string verdict(const Json& message) {
  const auto checked = check(message);
  return checked.problem ? checked.problem->field : "taken";
}
Json good() {
  return {{"token", "tok:1_a-b"},
          {"data", {{"wake_id", "m1"}, {"wake_title", "Front door"}, {"wake_body", "Motion"}}},
          {"android", {{"priority", "HIGH"}, {"ttl", "86400s"}}}};
}

TEST(FcmPath, HoldsTheProject) {
  EXPECT_EQ(project_of("/v1/projects/my-app/messages:send"), "my-app");
  EXPECT_EQ(project_of("/v1/projects//messages:send"), std::nullopt);
  EXPECT_EQ(project_of("/v1/projects/a/b/messages:send"), std::nullopt);
  EXPECT_EQ(project_of("/fcm/send"), std::nullopt);
}

TEST(FcmMessage, DescribesThePushItTakes) {
  const auto checked = check(good());
  ASSERT_FALSE(checked.problem);
  EXPECT_EQ(checked.push.token, "tok:1_a-b");
  EXPECT_EQ(checked.push.wake_id, "m1");
  EXPECT_EQ(checked.push.screen_key, "m1");
  EXPECT_EQ(checked.push.title, "Front door");
  EXPECT_EQ(*checked.push.expires, kNoon + std::chrono::hours(24));
  EXPECT_FALSE(checked.push.silent);
  EXPECT_TRUE(checked.push.id.starts_with("projects/p/messages/"));
}

TEST(FcmMessage, WantsExactlyOneTarget) {
  auto message = good();
  message["topic"] = "news";
  EXPECT_EQ(verdict(message), "message");
  message.erase("topic");
  message.erase("token");
  EXPECT_EQ(verdict(message), "message");
  message["fid"] = "f1";
  EXPECT_EQ(verdict(message), "taken");
}

TEST(FcmMessage, SaysWhenTheTokenIsNone) {
  auto message = good();
  message["token"] = "not a token";
  const auto checked = check(message);
  ASSERT_TRUE(checked.problem);
  EXPECT_EQ(checked.problem->field, "message.token");
  EXPECT_EQ(checked.problem->fcm_code, "INVALID_ARGUMENT");
}

TEST(FcmMessage, WantsDataOfStringsUnderFreeNames) {
  auto message = good();
  message["data"]["n"] = 1;
  EXPECT_EQ(verdict(message), "message.data");
  message = good();
  message["data"]["google.x"] = "1";
  EXPECT_EQ(verdict(message), "message.data");
  message = good();
  message["data"]["from"] = "1";
  EXPECT_EQ(verdict(message), "message.data");
}

TEST(FcmMessage, TakesDataOf4096BytesAndNotOneMore) {
  auto message = good();
  message["data"] = {{"k", std::string(4095, 'x')}};
  EXPECT_EQ(verdict(message), "taken");
  message["data"] = {{"k", std::string(4096, 'x')}};
  EXPECT_EQ(verdict(message), "message");
}

TEST(FcmMessage, ChecksTimeToLive) {
  auto message = good();
  for (const auto& [ttl, field] :
       std::vector<std::pair<Json, std::string>>{{"0s", "taken"},
                                                 {"3.5s", "taken"},
                                                 {"2419200s", "taken"},
                                                 {"2419201s", "message.android.ttl"},
                                                 {"60", "message.android.ttl"},
                                                 {"-1s", "message.android.ttl"},
                                                 {60, "message.android.ttl"}}) {
    message["android"]["ttl"] = ttl;
    EXPECT_EQ(verdict(message), field) << ttl;
  }
  message["android"]["ttl"] = "0s";
  EXPECT_FALSE(check(message).push.storable);
}

TEST(FcmMessage, RefusesWhatGoogleDoesNotKnow) {
  auto message = good();
  message["colour"] = "red";
  EXPECT_EQ(verdict(message), "message");
  message = good();
  message["android"]["urgency"] = "high";
  EXPECT_EQ(verdict(message), "message.android");
  message = good();
  message["android"]["priority"] = "URGENT";
  EXPECT_EQ(verdict(message), "message.android.priority");
}

TEST(FcmMessage, DataOfNormalPriorityOnlyWakesTheApp) {
  auto message = good();
  message["android"]["priority"] = "NORMAL";
  EXPECT_TRUE(check(message).push.silent);
  message["notification"] = {{"title", "t"}};
  message["android"]["notification"] = {{"tag", "door"}};
  const auto shown = check(message);
  EXPECT_FALSE(shown.push.silent);
  EXPECT_EQ(shown.push.screen_key, "door");
}

TEST(FcmProblem, CarriesFcmErrorOnlyWhereGoogleDoes) {
  const auto gone = Json::parse(to_reply(*problem_named("UNREGISTERED")).body)["error"];
  EXPECT_EQ(gone["code"], 404);
  EXPECT_EQ(gone["status"], "NOT_FOUND");
  EXPECT_EQ(gone["details"][0]["errorCode"], "UNREGISTERED");
  EXPECT_EQ(gone["details"][0]["@type"], "type.googleapis.com/google.firebase.fcm.v1.FcmError");
  EXPECT_FALSE(Json::parse(to_reply(*problem_named("UNAUTHENTICATED")).body)["error"].contains("details"));
  EXPECT_FALSE(problem_named("UNHEARD"));
}

}  // namespace
}  // namespace wake::sim::fcm
