// The will over kills, restarts and orderly ends: kept from CONNACK on, published once, never early, and not
// when its client comes back in time.
#include <gmock/gmock.h>

#include "tests/support/simulated_world.hpp"

namespace wake::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Will will_of(std::uint32_t delay_s = 0, Qos qos = Qos::AtLeastOnce, bool retain = false) {
  return {.qos = qos,
          .retain = retain,
          .topic = "will",
          .payload = as_bytes("gone"),
          .properties = {},
          .delay_s = delay_s};
}

World::ConnectOptions with_will(Will will, std::uint32_t expiry_s = 0) {
  return {.clean = false, .version = Version::V5, .expiry_s = expiry_s, .will = will};
}

/// A persistent subscriber of "will".
Client& reader(World& world, const std::string& id = "reader", Qos qos = Qos::ExactlyOnce) {
  Client& client = world.connect(id, {.clean = false, .version = Version::V5, .expiry_s = 3600});
  world.subscribe(client, "will", qos);
  return client;
}

Client& back(World& world, const std::string& id = "reader") {
  return world.connect(id, {.clean = false, .version = Version::V5, .expiry_s = 3600});
}

TEST(BrokerWill, ConnackWaitsUntilTheWillIsOnDiskAndOnlyThen) {
  World world;
  world.commits_by_itself = false;
  EXPECT_TRUE(world.connect("plain").connack.has_value());
  Client& camera = world.connect("camera", {.will = will_of()});
  EXPECT_FALSE(camera.connack.has_value());
  world.send(camera, Pingreq{});
  EXPECT_EQ(camera.pingresps, 0);
  world.commit();
  ASSERT_TRUE(camera.connack.has_value());
  EXPECT_EQ(camera.connack->reason, ReasonCode::Success);
  EXPECT_EQ(camera.pingresps, 1);
  EXPECT_THAT(world.storage.wills, SizeIs(1));
}

TEST(BrokerWill, WhoWasNotLetInHasNone) {
  World world;
  Client& app = world.connect("app");
  world.subscribe(app, "will", Qos::AtMostOnce);
  world.commits_by_itself = false;
  Client& late = world.connect("late", with_will(will_of()));
  world.connect("impatient", with_will(will_of()));
  world.drop(world.client("impatient"));
  world.advance(11s);
  ASSERT_TRUE(late.connack.has_value());
  EXPECT_EQ(late.connack->reason, ReasonCode::ServerUnavailable);
  EXPECT_FALSE(late.is_connected);
  world.commit();
  EXPECT_THAT(app.payloads(), IsEmpty());
  EXPECT_THAT(world.storage.wills, IsEmpty());
}

TEST(BrokerWill, IsRefusedWhileStorageIsBehind) {
  World world(1, {.max_unstored_bytes = 100});
  world.commits_by_itself = false;
  world.connect("first", with_will(will_of()));
  EXPECT_EQ(world.connect("second", with_will(will_of())).connack->reason, ReasonCode::ServerBusy);
  world.commit();
  EXPECT_EQ(world.client("first").connack->reason, ReasonCode::Success);
}

// DISCONNECT knows 0x8E and 0x98, CONNACK does not: v5 §3.2.2.2.
TEST(BrokerWill, WhoWaitsForItsConnackIsRefusedWithAReasonThatConnackHas) {
  World world;
  world.commits_by_itself = false;
  world.connect("camera", with_will(will_of()));
  world.connect("camera", with_will(will_of()));
  ASSERT_TRUE(world.taken_over().connack.has_value());
  EXPECT_EQ(world.taken_over().connack->reason, ReasonCode::ServerUnavailable) << "taken over, 0x8E";
  EXPECT_TRUE(world.home_of("camera").kick({"camera"}, world.now));
  world.settle();
  ASSERT_TRUE(world.client("camera").connack.has_value());
  EXPECT_EQ(world.client("camera").connack->reason, ReasonCode::NotAuthorized) << "kicked, 0x98";
}

TEST(BrokerWill, OfACleanSessionOutlivesAKill) {
  World world(3);
  reader(world);
  world.connect("camera", {.will = will_of()});
  world.crash(0);
  EXPECT_THAT(back(world).payloads(), ElementsAre("gone"));
  EXPECT_THAT(world.storage.wills, IsEmpty());
  world.crash(0);
  EXPECT_THAT(back(world).payloads(), ElementsAre("gone"));
}

TEST(BrokerWill, IsForgottenWithADisconnect) {
  World world;
  reader(world);
  world.connect("camera", {.will = will_of()});
  world.disconnect(world.client("camera"));
  EXPECT_THAT(world.storage.wills, IsEmpty());
  world.crash(0);
  EXPECT_THAT(back(world).payloads(), IsEmpty());
}

TEST(BrokerWill, IsPublishedOnceWhereverAKillStrikes) {
  for (const unsigned shards : {1u, 3u}) {
    for (const Qos qos : {Qos::AtLeastOnce, Qos::ExactlyOnce}) {
      for (std::size_t commits = 0; commits < 9; ++commits) {
        SCOPED_TRACE(std::to_string(shards) + " shards, killed after " + std::to_string(commits) +
                     " commits");
        World world(shards);
        for (const char* id : {"r1", "r2", "r3", "r4"}) {
          reader(world, id, qos);
          world.drop(world.client(id));
        }
        world.connect("camera", {.will = will_of(0, qos, true)});
        world.commits_by_itself = false;
        world.drop(world.client("camera"));
        for (std::size_t i = 0; i < commits; ++i) world.commit(1);
        world.commits_by_itself = true;
        world.crash(0);
        for (const char* id : {"r1", "r2", "r3", "r4"})
          EXPECT_THAT(back(world, id).taken, ElementsAre("gone")) << id;
        EXPECT_THAT(world.storage.wills, IsEmpty());
        EXPECT_THAT(world.storage.retained, SizeIs(1));
      }
    }
  }
}

TEST(BrokerWill, ThatWaitsKeepsItsMomentOverARestart) {
  World world;
  reader(world);
  world.connect("camera", with_will(will_of(10), 60));
  world.drop(world.client("camera"));
  world.advance(4s);
  world.crash(0);
  Client& app = back(world);
  world.advance(5s);
  EXPECT_THAT(app.payloads(), IsEmpty());
  world.advance(1s);
  EXPECT_THAT(app.payloads(), ElementsAre("gone"));
}

TEST(BrokerWill, OfWhoWasConnectedWaitsFromTheStartOnOnce) {
  World world;
  reader(world);
  world.connect("camera", with_will(will_of(10), 60));
  world.crash(0);
  world.advance(6s);
  world.crash(0);  // and not from this one
  Client& app = back(world);
  world.advance(3s);
  EXPECT_THAT(app.payloads(), IsEmpty());
  world.advance(1s);
  EXPECT_THAT(app.payloads(), ElementsAre("gone"));
}

TEST(BrokerWill, StaysHomeWhenItsClientIsBackWithinTheDelayAfterARestart) {
  World world;
  reader(world);
  world.connect("camera", with_will(will_of(10), 60));
  world.crash(0);
  Client& app = back(world);
  world.advance(9s);
  world.connect("camera", with_will(will_of(10), 60));
  world.advance(20s);
  EXPECT_THAT(app.payloads(), IsEmpty());
  EXPECT_THAT(world.storage.wills, SizeIs(1));  // the new one's
}

TEST(BrokerWill, LeavesAtOnceWhenItsClientComesBackToANewSession) {
  World world;
  reader(world);
  world.connect("camera", with_will(will_of(10), 60));
  world.crash(0);
  Client& app = back(world);
  world.connect("camera");  // clean
  EXPECT_THAT(app.payloads(), ElementsAre("gone"));
}

TEST(BrokerWill, OfAnEndedSessionDoesNotWaitAfterARestart) {
  World world;
  reader(world);
  world.connect("clean", with_will(will_of(10)));
  world.connect("short", with_will(will_of(10), 5));
  world.crash(0);
  Client& app = back(world);
  EXPECT_THAT(app.payloads(), ElementsAre("gone"));
  world.advance(6s);
  EXPECT_THAT(app.payloads(), ElementsAre("gone", "gone"));
}

TEST(BrokerWill, IsPutOffByAShutdownUntilTheNextStart) {
  World world;
  Client& app = reader(world);
  world.connect("camera", with_will(will_of()));
  world.connect("waiting", with_will(will_of(30), 60));
  world.drop(world.client("waiting"));
  world.shard(0).shut_down(world.now);
  world.settle();
  EXPECT_THAT(app.payloads(), IsEmpty());
  EXPECT_THAT(world.storage.wills, SizeIs(2));
  world.crash(0);
  EXPECT_THAT(back(world).payloads(), ElementsAre("gone"));
  world.advance(30s);
  EXPECT_THAT(app.payloads(), ElementsAre("gone", "gone"));
}

TEST(BrokerWill, IsNotPublishedAfterARestartByWhoMayNotAnyMore) {
  World world;
  reader(world);
  world.connect("camera", with_will(will_of()));
  world.connect("removed", with_will(will_of(10), 60));
  world.outcome_of["camera"] = {.kind = AuthOutcome::Kind::Allowed, .principal = {}, .grants = {}};
  world.outcome_of["removed"] = {.kind = AuthOutcome::Kind::Refused, .principal = {}, .grants = {}};
  world.crash(0);
  Client& app = back(world);
  world.advance(11s);
  EXPECT_THAT(app.payloads(), IsEmpty());
  EXPECT_THAT(world.storage.wills, IsEmpty());
  EXPECT_THAT(world.incidents, testing::Contains("will.denied").Times(2));
}

TEST(BrokerWill, IsOutBeforeItsClientIsBack) {
  World world;
  reader(world);
  world.connect("camera", with_will(will_of(0, Qos::AtLeastOnce, true)));
  world.judges_wills = false;
  world.crash(0);
  Client& app = back(world);
  EXPECT_THAT(app.payloads(), IsEmpty());
  Client& camera = world.connect("camera", with_will(will_of()));
  world.publish(camera, "will", "here", Qos::AtLeastOnce, 1, true);
  world.judge_wills();
  EXPECT_THAT(app.payloads(), ElementsAre("gone", "here"));
  EXPECT_EQ(world.storage.retained.at("will").payload, "here");
}

TEST(BrokerWill, ManyAreAskedForAFewAtATime) {
  World world;
  Client& app = reader(world);
  for (int i = 0; i < 300; ++i) world.connect("camera" + std::to_string(i), with_will(will_of()));
  world.judges_wills = false;
  world.crash(0);
  for (int round = 0; round < 20 && world.unjudged_wills() > 0; ++round) {
    EXPECT_LE(world.unjudged_wills(), 64u);
    world.judge_wills();
  }
  EXPECT_THAT(world.storage.wills, IsEmpty());
  back(world);
  world.advance(1s);
  EXPECT_THAT(app.payloads(), SizeIs(300));
}

TEST(BrokerWill, OfATakenOverConnectionMakesRoomForTheNewOne) {
  World world;
  Client& app = reader(world);
  world.connect("camera", with_will(will_of()));
  world.connect("camera", with_will(will_of()));
  EXPECT_THAT(app.payloads(), ElementsAre("gone"));
  EXPECT_THAT(world.storage.wills, SizeIs(1));
  world.crash(0);
  EXPECT_THAT(back(world).payloads(), ElementsAre("gone", "gone"));
}

/// What the heir of a gateway that is gone does with a will of "camera".
void inherit_a_will(World& world) {
  WillRecord will;
  will.id = MessageId{1};
  will.client_id.value = "camera";
  will.message = {.topic = "will", .payload = "gone", .qos = Qos::AtLeastOnce};
  will.due_at = world.now.utc;
  world.storage.wills.emplace(will.id, will);
  world.shard(0).load_will(will, world.now);
  world.settle();
}

TEST(BrokerWill, OfAGatewayThatIsGoneIsPublishedByOneThatRuns) {
  World world;
  Client& app = reader(world);
  inherit_a_will(world);
  EXPECT_THAT(app.payloads(), ElementsAre("gone"));
  EXPECT_THAT(world.storage.wills, IsEmpty());
}

TEST(BrokerWill, OfAGatewayThatIsGoneIsForgottenWhereItsClientIsConnected) {
  World world;
  Client& app = reader(world);
  world.connect("camera");
  inherit_a_will(world);
  EXPECT_THAT(app.payloads(), IsEmpty());
  EXPECT_THAT(world.storage.wills, IsEmpty());
}

}  // namespace
}  // namespace wake::test
