// Shared subscriptions over one, two and four shards.
#include <gmock/gmock.h>

#include "tests/support/simulated_world.hpp"

namespace wake::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Pub = std::pair<std::uint16_t, ReasonCode>;

class SharedSubscription : public testing::TestWithParam<unsigned> {
 protected:
  Client& member(const std::string& id, World::ConnectOptions options = {}) {
    Client& client = world.connect(id, options);
    world.subscribe(client, "$share/g/t/+", Qos::ExactlyOnce);
    EXPECT_THAT(client.subacks, ElementsAre(ReasonCode::GrantedQos2));
    return client;
  }
  void publish(int from, int to, Qos qos = Qos::AtLeastOnce) {
    for (int i = from; i < to; ++i)
      world.publish(world.client("camera"), "t/1", std::to_string(i), qos, static_cast<std::uint16_t>(i + 1));
  }
  static World::ConnectOptions keeps() { return {.clean = false}; }
  static World::ConnectOptions takes(std::uint16_t receive_maximum) {
    World::ConnectOptions options{.version = Version::V5};
    options.properties.receive_maximum = receive_maximum;
    return options;
  }
  World world{GetParam()};
  Client& camera = world.connect("camera", {.version = Version::V5});
};

INSTANTIATE_TEST_SUITE_P(Shards, SharedSubscription, testing::Values(1U, 2U, 4U));

TEST_P(SharedSubscription, EachMessageGoesToOneMemberInTurn) {
  for (const Qos qos : {Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce}) {
    std::vector<Client*> members;
    for (int i = 0; i < 5; ++i) members.push_back(&member("m" + std::to_string(i)));
    publish(0, 20, qos);
    std::vector<std::string> all;
    for (Client* one : members) {
      EXPECT_EQ(one->received.size(), 4u) << one->id;
      for (const std::string& payload : one->payloads()) all.push_back(payload);
      one->received.clear();
    }
    std::ranges::sort(all);
    EXPECT_EQ(std::ranges::unique(all).begin(), all.end());
    EXPECT_EQ(all.size(), 20u);
  }
}

TEST_P(SharedSubscription, ThosePlainlySubscribedGetTheirOwn) {
  Client& plain = world.connect("plain");
  world.subscribe(plain, "t/#", Qos::AtLeastOnce);
  Client& a = member("a");
  Client& b = member("b");
  Client& other = world.connect("other");
  world.subscribe(other, "$share/h/t/1", Qos::AtLeastOnce);
  publish(0, 4);
  EXPECT_EQ(plain.received.size(), 4u);
  EXPECT_EQ(other.received.size(), 4u);
  EXPECT_EQ(a.received.size() + b.received.size(), 4u);
}

TEST_P(SharedSubscription, WhoHasNoFreeSlotIsPassedOver) {
  Client& slow = member("slow", takes(1));
  slow.acks = false;
  Client& quick = member("quick");
  publish(0, 10);
  EXPECT_EQ(slow.received.size(), 1u);
  EXPECT_EQ(quick.received.size(), 9u);
}

TEST_P(SharedSubscription, WhoIsAwayGetsMessagesOnlyWhenNobodyIsConnected) {
  Client& away = member("away", keeps());
  world.drop(away);
  Client& here = member("here");
  publish(0, 3);
  EXPECT_EQ(here.received.size(), 3u);
  world.drop(here);
  world.commits_by_itself = false;
  camera.pubacks.clear();
  publish(3, 4);
  EXPECT_THAT(camera.pubacks, IsEmpty()) << "the row of who is away is not committed yet";
  world.commit();
  EXPECT_THAT(camera.pubacks, ElementsAre(Pub(4, ReasonCode::Success)));
  world.commits_by_itself = true;
  world.connect("away", keeps());
  EXPECT_THAT(away.payloads(), ElementsAre("3"));
}

TEST_P(SharedSubscription, WhatALeaverHasNotAcknowledgedGoesToAnother) {
  Client& leaver = member("leaver", takes(2));
  leaver.acks = false;
  publish(0, 6);
  EXPECT_EQ(leaver.received.size(), 2u);
  Client& heir = member("heir");
  world.drop(leaver);
  EXPECT_THAT(heir.payloads(), UnorderedElementsAre("0", "1", "2", "3", "4", "5"));
}

TEST_P(SharedSubscription, WhatALeaverReadBackFromStorageGoesToAnother) {
  World::ConnectOptions lasting = keeps();
  lasting.version = Version::V5;
  lasting.properties.session_expiry_s = 60;
  Client& leaver = member("leaver", lasting);
  world.drop(leaver);
  publish(0, 6);
  leaver.acks = false;
  world.connect("leaver", lasting);
  EXPECT_EQ(leaver.received.size(), 6u);
  Client& heir = member("heir");
  Disconnect leave{.reason = ReasonCode::NormalDisconnection, .properties = {}};
  leave.properties.session_expiry_s = 0;
  world.send(leaver, leave);
  EXPECT_THAT(heir.payloads(), UnorderedElementsAre("0", "1", "2", "3", "4", "5"));
}

TEST_P(SharedSubscription, AQos2MessageWhoseSendingHasBegunGoesToNobodyElse) {
  Client& leaver = member("leaver", takes(2));
  leaver.acks = false;
  publish(0, 4, Qos::ExactlyOnce);
  Client& heir = member("heir");
  world.drop(leaver);
  EXPECT_THAT(heir.payloads(), UnorderedElementsAre("2", "3"));
}

TEST_P(SharedSubscription, UnsubscribeLeavesTheUnsentToOthersAndCompletesTheRest) {
  Client& leaver = member("leaver", takes(2));
  leaver.acks = false;
  publish(0, 4);
  Client& heir = member("heir");
  world.send(leaver, Unsubscribe{.packet_id = {5}, .filters = {"$share/g/t/+"}, .user_properties = {}});
  EXPECT_THAT(heir.payloads(), UnorderedElementsAre("2", "3"));
  for (const Received& one : std::vector(leaver.received)) world.ack(leaver, one.packet_id);
  EXPECT_THAT(leaver.payloads(), ElementsAre("0", "1"));
  publish(4, 6);
  EXPECT_EQ(heir.received.size(), 4u);
}

TEST_P(SharedSubscription, TheLastOnesLeavingEndsIt) {
  Client& a = member("a");
  world.drop(a);
  publish(0, 1);
  EXPECT_THAT(camera.pubacks, ElementsAre(Pub(1, ReasonCode::NoMatchingSubscribers)));
}

TEST_P(SharedSubscription, OneThatEndedWhileTheMessageWasUnderWayPassesItsTurnOn) {
  member("m0");
  Client& stays = member("stays");
  for (int i = 0; i < 2; ++i) {
    member("m0");
    stays.received.clear();
    world.home_of("m0").kick({"m0"}, world.now);  // the other shards do not know yet
    publish(2 * i, 2 * i + 2);
    EXPECT_EQ(stays.received.size(), 2u);
  }
}

TEST_P(SharedSubscription, SurvivesACrashWithItsDurableMembers) {
  Client& away = member("away", keeps());
  world.drop(away);
  publish(0, 2);
  world.crash(0);
  world.connect("camera", {.version = Version::V5});
  publish(2, 4);
  world.connect("away", keeps());
  EXPECT_THAT(away.payloads(), ElementsAre("0", "1", "2", "3"));
}

TEST_P(SharedSubscription, WhatWaitsForASessionThatExpiresGoesToAnother) {
  Client& away = world.connect("away", {.clean = false, .version = Version::V5, .expiry_s = 10});
  world.subscribe(away, "$share/g/t/+", Qos::AtLeastOnce);
  world.subscribe(away, "own", Qos::AtLeastOnce);
  world.drop(away);
  world.publish(camera, "own", "mine", Qos::AtLeastOnce);
  publish(0, 450);  // more than two pages
  Client& heir = member("heir", keeps());
  EXPECT_THAT(heir.received, IsEmpty());
  world.advance(11s);
  EXPECT_EQ(heir.received.size(), 450u);
  EXPECT_FALSE(world.storage.sessions.contains("away"));
  EXPECT_THAT(world.storage.queue["away"], IsEmpty());
}

TEST_P(SharedSubscription, ACleanStartLeavesWhatWaitsToOthersFirst) {
  Client& away = member("away", keeps());
  world.drop(away);
  publish(0, 3);
  member("heir", keeps());
  world.drop(world.client("heir"));
  world.commits_by_itself = false;
  world.connect("away");
  EXPECT_FALSE(away.connack) << "its successor's rows are not committed yet";
  world.commit();
  world.advance(1ms);
  ASSERT_TRUE(away.connack);
  EXPECT_FALSE(away.connack->session_present);
  world.commits_by_itself = true;
  Client& heir = world.connect("heir", keeps());
  EXPECT_THAT(heir.payloads(), ElementsAre("0", "1", "2"));
  EXPECT_THAT(away.received, IsEmpty());
}

TEST_P(SharedSubscription, WhatWasAcknowledgedIsInOnePlaceWhenAKillStrikesWhileItsHolderLeaves) {
  for (std::size_t commits = 0; commits < 8; ++commits) {
    SCOPED_TRACE(std::to_string(commits) + " commits before the kill");
    World fresh{GetParam()};
    const auto join = [&](const std::string& id) -> Client& {
      Client& client = fresh.connect(id, keeps());
      fresh.subscribe(client, "$share/g/t/+", Qos::AtLeastOnce);
      return client;
    };
    Client& leaver = join("leaver");
    leaver.acks = false;
    Client& publisher = fresh.connect("camera", {.version = Version::V5});
    for (std::uint16_t i = 1; i <= 3; ++i)
      fresh.publish(publisher, "t/1", std::to_string(i), Qos::AtLeastOnce, i);
    fresh.advance(5ms);  // commit_window: what the leaver was sent is stored, and acknowledged
    ASSERT_EQ(publisher.pubacks.size(), 3u);
    join("heir").acks = false;
    fresh.drop(leaver);
    fresh.commits_by_itself = false;
    fresh.connect("leaver");  // clean
    for (std::size_t i = 0; i < commits; ++i) {
      fresh.commit(1);
      fresh.advance(3ms);
    }
    fresh.commits_by_itself = true;
    fresh.crash(0);
    std::set<std::string> found;
    for (const auto& [client_id, rows] : fresh.storage.queue) {
      for (const auto& [id, row] : rows) found.insert(fresh.storage.messages.at(id).payload);
    }
    EXPECT_THAT(found, ElementsAre("1", "2", "3"));
  }
}

TEST_P(SharedSubscription, UnsubscribeHandsOnWhatStorageHolds) {
  World::ConnectOptions slow = takes(2);
  slow.clean = false;
  slow.expiry_s = 3600;
  Client& leaver = member("leaver", slow);
  world.subscribe(leaver, "own", Qos::AtLeastOnce);
  world.drop(leaver);
  publish(0, 450);  // more than memory takes back
  world.publish(camera, "own", "mine", Qos::AtLeastOnce);
  leaver.acks = false;
  world.connect("leaver", slow);
  Client& heir = member("heir", keeps());
  world.send(leaver, Unsubscribe{.packet_id = {5}, .filters = {"$share/g/t/+"}, .user_properties = {}});
  EXPECT_EQ(heir.received.size(), 448u);
  EXPECT_EQ(world.storage.queue["leaver"].size(), 3u) << "two that it was sent, and its own";
  leaver.acks = true;
  for (const Received& one : std::vector(leaver.received)) world.ack(leaver, one.packet_id);
  EXPECT_THAT(leaver.payloads(), ElementsAre("0", "1", "mine"));
}

TEST_P(SharedSubscription, UnsubscribeKeepsTheRowUntilTheHeirHasTheMessage) {
  World::ConnectOptions slow = takes(1);
  slow.clean = false;
  slow.expiry_s = 3600;
  Client& leaver = member("leaver", slow);
  leaver.acks = false;
  publish(0, 2);
  world.advance(5ms);  // commit_window: stored, and acknowledged
  ASSERT_EQ(camera.pubacks.size(), 2u);
  Client& heir = member("heir", keeps());
  heir.acks = false;
  world.commits_by_itself = false;
  world.send(leaver, Unsubscribe{.packet_id = {5}, .filters = {"$share/g/t/+"}, .user_properties = {}});
  EXPECT_THAT(heir.payloads(), ElementsAre("1"));
  world.commit();
  EXPECT_EQ(world.storage.queue["leaver"].size(), 2u);
  world.advance(5ms);
  world.commit();
  world.commit();
  EXPECT_EQ(world.storage.queue["heir"].size(), 1u);
  EXPECT_EQ(world.storage.queue["leaver"].size(), 1u);
}

TEST_P(SharedSubscription, GetsNoRetainedMessages) {
  world.publish(camera, "t/1", "kept", Qos::AtLeastOnce, 1, true);
  Client& a = member("a");
  EXPECT_THAT(a.received, IsEmpty());
}

TEST_P(SharedSubscription, WithNoLocalIsAProtocolError) {
  Client& a = world.connect("a", {.version = Version::V5});
  Subscribe packet{.packet_id = {7},
                   .requests = {{.filter = "$share/g/t", .qos = Qos::AtMostOnce, .no_local = true}},
                   .subscription_id = 0,
                   .user_properties = {}};
  world.send(a, packet);
  EXPECT_EQ(a.disconnect_reason, ReasonCode::ProtocolError);
}

TEST_P(SharedSubscription, IsPermittedByItsInnerFilter) {
  auto user = std::make_shared<UserRecord>();
  user->id = {1};
  user->username = "ann";
  user->device_ids = {"CAM1"};
  world.apply_user(user);
  world.username_of["app"] = "ann";
  Client& app = world.connect("app", {.version = Version::V5});
  world.subscribe(app, "$share/g/x/CAM1", Qos::AtMostOnce);
  EXPECT_THAT(app.subacks, ElementsAre(ReasonCode::GrantedQos0));
  world.subscribe(app, "$share/CAM1/x/CAM2", Qos::AtMostOnce);
  EXPECT_THAT(app.subacks, ElementsAre(ReasonCode::NotAuthorized));
  auto less = std::make_shared<UserRecord>(*user);
  less->device_ids.clear();
  world.apply_user(less);
  world.publish(camera, "x/CAM1", "secret", Qos::AtMostOnce);
  EXPECT_THAT(app.received, IsEmpty());
}

TEST_P(SharedSubscription, HasAsManyMembersAsAreAllowed) {
  World small(GetParam(), Limits{.max_share_members = 2});
  for (const char* id : {"a", "b", "c"})
    small.subscribe(small.connect(id, {.version = Version::V5}), "$share/g/t", Qos::AtMostOnce);
  EXPECT_THAT(small.client("b").subacks, ElementsAre(ReasonCode::GrantedQos0));
  EXPECT_THAT(small.client("c").subacks, ElementsAre(ReasonCode::QuotaExceeded));
}

}  // namespace
}  // namespace wake::test
