#include <thread>

#include "rest_fixture.hpp"

namespace wake::gateway::rest {
namespace {

class Pairings : public RestTest {
 protected:
  const std::string ann_ = add_user("ann");
  const std::string bob_ = add_user("bob");
  const std::string camera_ = add_device("CAM1");
  std::string start() { return send("POST", "/v1/me/pairings", ann_).body["code"]; }
  Answer claim(const std::string& code, const std::string& device, const json& body) {
    return send("POST", "/v1/pairings/" + code + "/claim", device, body);
  }
  static json porch() {
    return {{"name", "Porch"}, {"topics", {{{"filter", "cam/CAM1/motion"}, {"title", "Motion"}}}}};
  }
};

TEST_F(Pairings, ClaimMakesEntriesAndTellsThePhones) {
  ASSERT_EQ(send("PUT", "/v1/me/phones/p1", ann_,
                 {{"platform", "fcm"}, {"app_id", "com.example.cam"}, {"token", "t"}})
                .status,
            201);
  const std::string code = start();
  EXPECT_EQ(code.size(), 8U);
  EXPECT_EQ(send("GET", "/v1/me/pairings/" + code, ann_).body["state"], "waiting");
  const Answer claimed = claim(code, camera_, porch());
  ASSERT_EQ(claimed.status, 200) << claimed.raw;
  EXPECT_TRUE(port_.was_asked("refresh 1"));
  EXPECT_EQ(sql("SELECT event->>'type' || ' ' || (event->>'name') FROM alerts"), "paired Porch");
  EXPECT_EQ(send("GET", "/v1/me/pairings/" + code, ann_).body["device_id"], "CAM1");
  const json topics = send("GET", "/v1/me/topics?device=CAM1", ann_).body["items"];
  ASSERT_EQ(topics.size(), 1U);
  EXPECT_EQ(topics[0]["title"], "Motion");
  EXPECT_EQ(topics[0]["device_id"], "CAM1");
  EXPECT_EQ(send("GET", "/v1/me/devices", ann_).body["items"][0]["name"], "Porch");
}

TEST_F(Pairings, CodeWorksOnceOnlyForOthersNeverAndNotLate) {
  const std::string code = start();
  EXPECT_EQ(send("GET", "/v1/me/pairings/" + code, bob_).status, 404);
  EXPECT_EQ(claim(code, camera_, porch()).status, 200);
  EXPECT_EQ(claim(code, add_device("CAM2"), json::object()).status, 404);
  const std::string late = start();
  sql("UPDATE pairing_codes SET expires_at = now()");
  EXPECT_EQ(claim(late, camera_, porch()).status, 404);
  const std::string dropped = start();
  EXPECT_EQ(send("DELETE", "/v1/me/pairings/" + dropped, bob_).status, 404);
  EXPECT_EQ(send("DELETE", "/v1/me/pairings/" + dropped, ann_).status, 204);
  EXPECT_EQ(claim(dropped, camera_, porch()).status, 404);
}

TEST_F(Pairings, AClaimWhoseAnswerWasLostIsAnsweredAgain) {
  const std::string code = start();
  const Answer first = claim(code, camera_, porch());
  ASSERT_EQ(first.status, 200);
  sql("UPDATE topic_entries SET title = 'Mine'");
  const Answer again = claim(code, camera_, porch());
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(sql("SELECT title FROM topic_entries"), "Mine") << "nothing is done twice";
  sql("UPDATE pairing_codes SET expires_at = now()");
  EXPECT_EQ(claim(code, camera_, porch()).status, 404);
}

TEST_F(Pairings, ARepeatedClaimDoesNotPairWhoIsUnpairedSince) {
  const std::string code = start();
  ASSERT_EQ(claim(code, camera_, porch()).status, 200);
  ASSERT_EQ(send("DELETE", "/v1/me/devices/CAM1", ann_).status, 204);
  EXPECT_EQ(claim(code, camera_, porch()).status, 404);
  EXPECT_EQ(sql("SELECT count(*) FROM pairings"), "0");
}

TEST_F(Pairings, SomebodyElsesDeviceIsNotClaimedUnlessItWasReset) {
  pair(ann_, camera_);
  const std::string code = send("POST", "/v1/me/pairings", bob_).body["code"];
  const Answer refused = claim(code, camera_, porch());
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(send("GET", "/v1/me/devices", bob_).body["items"].size(), 0U);
  json body = porch();
  body["reset"] = true;
  EXPECT_EQ(claim(code, camera_, body).status, 200) << "the refusal has not used the code up";
  EXPECT_TRUE(port_.was_asked("refresh 1")) << "the seller is out at once";
  EXPECT_EQ(send("GET", "/v1/me/devices", ann_).body["items"].size(), 0U);
  EXPECT_EQ(send("GET", "/v1/me/devices", bob_).body["items"][0]["role"], "owner");
}

TEST_F(Pairings, ADeviceFromTheFactoryHasNobody) {
  pair(ann_, camera_);
  EXPECT_EQ(send("DELETE", "/v1/pairings", ann_).status, 403);
  EXPECT_EQ(send("DELETE", "/v1/pairings", camera_).status, 204);
  EXPECT_EQ(sql("SELECT count(*) FROM pairings"), "0");
  EXPECT_EQ(send("DELETE", "/v1/pairings", camera_).status, 204) << "it may be repeated";
}

TEST_F(Pairings, StartTakesNoFields) {
  const Answer refused = send("POST", "/v1/me/pairings", ann_, {{"code", "MYOWN"}});
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(refused.body["field"], "code");
  EXPECT_EQ(send("POST", "/v1/me/pairings", ann_, json::object()).status, 201);
}

TEST_F(Pairings, OfTwoClaimsAtOnceOneWins) {
  const std::string other = add_device("CAM2");
  for (int round = 0; round < 10; ++round) {
    const std::string code = start();
    int first = 0, second = 0;
    std::thread rival([&] { second = claim(code, other, json::object()).status; });
    first = claim(code, camera_, json::object()).status;
    rival.join();
    EXPECT_EQ(std::min(first, second), 200) << round;
    EXPECT_EQ(std::max(first, second), 404) << round;
    if (::testing::Test::HasFailure()) return;
    sql("DELETE FROM pairings");
  }
}

TEST_F(Pairings, CodeIsReadAsPeopleTypeIt) {
  std::string code = start();
  for (char& c : code) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  EXPECT_EQ(claim(code.substr(0, 4) + "-" + code.substr(4), camera_, porch()).status, 200);
}

TEST_F(Pairings, DeviceBringsOnlyItsOwnTopics) {
  const std::string code = start();
  const auto topics = [](const std::string& filter) { return json{{"topics", {{{"filter", filter}}}}}; };
  EXPECT_EQ(claim(code, camera_, topics("cam/CAM2/motion")).status, 403);
  EXPECT_EQ(claim(code, camera_, topics("#")).status, 403);
  EXPECT_EQ(claim(code, camera_, topics("cam/#/CAM1")).body["field"], "topics[0].filter");
  EXPECT_EQ(claim(code, camera_, topics("$share/g/CAM1")).status, 422);
  EXPECT_EQ(claim(code, camera_, {{"topics", {{{"filter", "CAM1"}, {"color", 1}}}}}).body["field"],
            "topics[0].color");
  EXPECT_EQ(sql("SELECT count(*) FROM pairings"), "0");
  EXPECT_EQ(claim(code, camera_, porch()).status, 200) << "refused claims must not use the code up";
}

TEST_F(Pairings, OnlyADeviceClaimsAndGuessingEnds) {
  const std::string code = start();
  EXPECT_EQ(claim(code, ann_, json::object()).status, 403);
  EXPECT_EQ(claim(code, "", json::object()).status, 401);
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(claim("WRONG" + std::to_string(i), camera_, json::object()).status, 404);
  EXPECT_EQ(claim(code, camera_, json::object()).status, 429);
}

TEST_F(Pairings, UnpairingTakesEntriesAlong) {
  pair(ann_, camera_);
  ASSERT_EQ(send("POST", "/v1/me/topics", ann_, {{"filter", "x/CAM1"}}).status, 201);
  EXPECT_EQ(send("DELETE", "/v1/me/devices/CAM1", bob_).status, 404);
  EXPECT_EQ(send("PATCH", "/v1/me/devices/CAM1", ann_, {{"name", "Gate"}}).body["name"], "Gate");
  EXPECT_EQ(send("DELETE", "/v1/me/devices/CAM1", ann_).status, 204);
  EXPECT_EQ(send("GET", "/v1/me/topics", ann_).body["items"].size(), 0U);
}

}  // namespace
}  // namespace wake::gateway::rest
