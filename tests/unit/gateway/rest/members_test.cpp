#include "rest_fixture.hpp"

namespace wake::gateway::rest {
namespace {

class Members : public RestTest {
 protected:
  void SetUp() override {
    pair(ann_, camera_);
    ASSERT_EQ(send("POST", "/v1/me/topics", ann_, {{"filter", "x/CAM1"}, {"title", "Door"}}).status, 201);
  }
  std::string invite(const json& body = json::object()) {
    return send("POST", "/v1/me/devices/CAM1/invitations", ann_, body).body.value("code", "");
  }
  Answer accept(const std::string& code, const std::string& who) {
    return send("POST", "/v1/invitations/" + code + "/accept", who);
  }
  std::string members(const std::string& who) {
    const Answer answer = send("GET", "/v1/me/devices/CAM1/members", who);
    std::string all;
    for (const json& one : answer.body.value("items", json::array()))
      all += one["username"].get<std::string>() + ":" + one["role"].get<std::string>() + " ";
    return all;
  }
  const std::string ann_ = add_user("ann");
  const std::string bob_ = add_user("bob");
  const std::string eve_ = add_user("eve");
  const std::string camera_ = add_device("CAM1");
};

TEST_F(Members, AreInvitedByTheOwner) {
  const std::string code = invite();
  ASSERT_EQ(code.size(), 8U);
  const Answer joined = accept(code.substr(0, 4) + "-" + code.substr(4), bob_);
  ASSERT_EQ(joined.status, 200) << joined.raw;
  EXPECT_EQ(joined.body["role"], "member");
  EXPECT_TRUE(port_.was_asked("refresh 2"));
  const json topics = send("GET", "/v1/me/topics", bob_).body["items"];
  ASSERT_EQ(topics.size(), 1U) << "the owner's entries of the device";
  EXPECT_EQ(topics[0]["title"], "Door");
  EXPECT_EQ(members(ann_), "ann:owner bob:member ");
  EXPECT_EQ(members(bob_), members(ann_));
}

TEST_F(Members, AnInvitationWorksOnceAndMayBeRepeatedByWhoAcceptedIt) {
  const std::string code = invite();
  const Answer first = accept(code, bob_);
  EXPECT_EQ(accept(code, bob_).body, first.body);
  EXPECT_EQ(accept(code, eve_).status, 404);
  const std::string late = invite();
  sql("UPDATE invitations SET expires_at = now()");
  EXPECT_EQ(accept(late, eve_).status, 404);
  const std::string withdrawn = invite();
  EXPECT_EQ(send("GET", "/v1/me/devices/CAM1/invitations", ann_).body["items"].size(), 1U);
  EXPECT_EQ(send("DELETE", "/v1/me/devices/CAM1/invitations/" + withdrawn, ann_).status, 204);
  EXPECT_EQ(accept(withdrawn, eve_).status, 404);
}

TEST_F(Members, MayNotDoWhatIsTheOwners) {
  ASSERT_EQ(accept(invite(), bob_).status, 200);
  EXPECT_EQ(send("POST", "/v1/me/devices/CAM1/invitations", bob_).status, 403);
  EXPECT_EQ(send("GET", "/v1/me/devices/CAM1/invitations", bob_).status, 403);
  EXPECT_EQ(send("DELETE", "/v1/me/devices/CAM1/members/ann", bob_).status, 403);
  EXPECT_EQ(send("PATCH", "/v1/me/devices/CAM1/members/bob", bob_, {{"role", "owner"}}).status, 403);
  for (const char* path : {"invitations", "members"})  // strangers learn nothing
    EXPECT_EQ(send("GET", std::string("/v1/me/devices/CAM1/") + path, eve_).status, 404) << path;
  EXPECT_EQ(send("DELETE", "/v1/me/devices/CAM1/members/ann", eve_).status, 404);
}

TEST_F(Members, AreRemovedOrLeaveAndAreThenStrangers) {
  ASSERT_EQ(accept(invite(), bob_).status, 200);
  ASSERT_EQ(accept(invite(), eve_).status, 200);
  EXPECT_EQ(send("DELETE", "/v1/me/devices/CAM1/members/ann", ann_).status, 409);
  EXPECT_EQ(send("DELETE", "/v1/me/devices/CAM1/members/bob", ann_).status, 204);
  EXPECT_EQ(send("DELETE", "/v1/me/devices/CAM1/members/bob", ann_).status, 404);
  EXPECT_EQ(send("GET", "/v1/me/topics", bob_).body["items"].size(), 0U);
  EXPECT_EQ(send("DELETE", "/v1/me/devices/CAM1", eve_).status, 204);
  EXPECT_EQ(members(ann_), "ann:owner ");
}

TEST_F(Members, GoWithTheOwner) {
  ASSERT_EQ(accept(invite(), bob_).status, 200);
  const std::string waiting = invite();
  const int refreshed = port_.count("refresh 2");
  EXPECT_EQ(send("DELETE", "/v1/me/devices/CAM1", ann_).status, 204);
  EXPECT_EQ(port_.count("refresh 2"), refreshed + 1);
  EXPECT_EQ(send("GET", "/v1/me/devices", bob_).body["items"].size(), 0U);
  EXPECT_EQ(accept(waiting, eve_).status, 404) << "void with the owner";
}

TEST_F(Members, OneBecomesTheOwnerAndTheOthersStay) {
  ASSERT_EQ(accept(invite(), bob_).status, 200);
  const std::string waiting = invite();
  EXPECT_EQ(send("PATCH", "/v1/me/devices/CAM1/members/bob", ann_, {{"role", "owner"}}).status, 200);
  EXPECT_EQ(members(bob_), "ann:member bob:owner ");
  EXPECT_EQ(accept(waiting, eve_).status, 404) << "of who is not the owner any more";
  EXPECT_EQ(send("PATCH", "/v1/me/devices/CAM1/members/ann", ann_, {{"role", "member"}}).body["field"],
            "role");
}

TEST_F(Members, HandingOverLeavesTheNewOwnerAlone) {
  ASSERT_EQ(accept(invite(), bob_).status, 200);
  const std::string code = invite({{"role", "owner"}});
  const Answer taken = accept(code, eve_);
  ASSERT_EQ(taken.status, 200) << taken.raw;
  EXPECT_EQ(taken.body["role"], "owner");
  EXPECT_EQ(members(eve_), "eve:owner ");
  EXPECT_EQ(members(ann_), "");
  EXPECT_EQ(send("GET", "/v1/me/topics", eve_).body["items"].size(), 1U);
  EXPECT_EQ(accept(code, eve_).status, 200) << "the answer may have been lost";
}

TEST_F(Members, GuessingInvitationsEnds) {
  const std::string code = invite();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(accept("WRONG" + std::to_string(i), eve_).status, 404);
  const Answer blocked = accept(code, eve_);
  EXPECT_EQ(blocked.status, 429);
  EXPECT_FALSE(blocked.header("retry-after").empty());
  EXPECT_EQ(accept(code, bob_).status, 200) << "others are not held up";
}

TEST_F(Members, ARemovedAccountTakesItsDevicesAlong) {
  ASSERT_EQ(accept(invite(), bob_).status, 200);
  sql("DELETE FROM users WHERE username = 'ann'");
  EXPECT_EQ(sql("SELECT count(*) FROM pairings"), "0");
}

}  // namespace
}  // namespace wake::gateway::rest
