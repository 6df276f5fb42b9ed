// The machine of a shard, as clients, storage and other shards see it.
#include <gmock/gmock.h>

#include "tests/support/simulated_world.hpp"

namespace wake::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Pub = std::pair<std::uint16_t, ReasonCode>;

Client& durable(World& world, const std::string& id) { return world.connect(id, {.clean = false}); }

TEST(Broker, DeliversQos0ToWhoeverSubscribed) {
  World world;
  Client& app = world.connect("app");
  world.subscribe(app, "cam/+/motion", Qos::AtMostOnce);
  EXPECT_THAT(app.subacks, ElementsAre(ReasonCode::GrantedQos0));
  Client& camera = world.connect("camera");
  world.publish(camera, "cam/1/motion", "seen", Qos::AtMostOnce);
  world.publish(camera, "cam/1/sound", "heard", Qos::AtMostOnce);
  EXPECT_THAT(app.payloads(), ElementsAre("seen"));
}

TEST(Broker, PubackComesAtOnceWhenNothingDurableIsOwed) {
  World world;
  world.commits_by_itself = false;
  Client& app = world.connect("app");
  world.subscribe(app, "a", Qos::AtLeastOnce);
  app.acks = false;
  Client& camera = world.connect("camera");
  world.publish(camera, "a", "x", Qos::AtLeastOnce, 7);
  EXPECT_THAT(camera.pubacks, ElementsAre(Pub(7, ReasonCode::Success)));
}

TEST(Broker, PubackWaitsForTheCommitOfAnAbsentSession) {
  World world;
  durable(world, "app");
  world.subscribe(world.client("app"), "a", Qos::AtLeastOnce);
  world.drop(world.client("app"));
  world.commits_by_itself = false;
  Client& camera = world.connect("camera");
  world.publish(camera, "a", "x", Qos::AtLeastOnce, 7);
  EXPECT_THAT(camera.pubacks, IsEmpty());
  world.commit();
  EXPECT_THAT(camera.pubacks, ElementsAre(Pub(7, ReasonCode::Success)));
  EXPECT_EQ(world.storage.queue["app"].size(), 1u);
}

TEST(Broker, AnAcknowledgementWithinTheCommitWindowCostsNoWrite) {
  World world;
  Client& app = durable(world, "app");
  world.subscribe(app, "a", Qos::AtLeastOnce);
  Client& camera = world.connect("camera");
  world.commits_by_itself = false;
  world.publish(camera, "a", "x", Qos::AtLeastOnce, 7);
  EXPECT_THAT(camera.pubacks, ElementsAre(Pub(7, ReasonCode::Success)));
  world.advance(10ms);
  EXPECT_EQ(world.uncommitted(), 0u);
}

TEST(Broker, AnUnacknowledgedMessageIsStoredAfterTheCommitWindow) {
  World world;
  Client& app = durable(world, "app");
  app.acks = false;
  world.subscribe(app, "a", Qos::AtLeastOnce);
  Client& camera = world.connect("camera");
  world.publish(camera, "a", "x", Qos::AtLeastOnce, 7);
  EXPECT_THAT(camera.pubacks, IsEmpty());
  world.advance(3ms);
  EXPECT_THAT(camera.pubacks, ElementsAre(Pub(7, ReasonCode::Success)));
  world.ack(app, app.received.at(0).packet_id);
  EXPECT_THAT(world.storage.queue["app"], IsEmpty());
}

TEST(Broker, SubackOfADurableSessionWaitsUntilItIsOnDisk) {
  World world;
  world.commits_by_itself = false;
  Client& app = durable(world, "app");
  world.subscribe(app, "a", Qos::AtLeastOnce);
  EXPECT_THAT(app.subacks, IsEmpty());
  world.commit();
  EXPECT_THAT(app.subacks, ElementsAre(ReasonCode::GrantedQos1));
}

TEST(Broker, AcknowledgementsKeepTheOrderOfThePublishes) {
  World world;
  durable(world, "app");
  world.subscribe(world.client("app"), "slow", Qos::AtLeastOnce);
  world.drop(world.client("app"));
  world.commits_by_itself = false;
  Client& camera = world.connect("camera", {.version = Version::V5});
  world.publish(camera, "slow", "x", Qos::AtLeastOnce, 1);
  world.publish(camera, "nobody", "x", Qos::AtLeastOnce, 2);
  EXPECT_THAT(camera.pubacks, IsEmpty());
  world.commit();
  EXPECT_THAT(camera.pubacks,
              ElementsAre(Pub(1, ReasonCode::Success), Pub(2, ReasonCode::NoMatchingSubscribers)));
}

TEST(Broker, QueuedMessagesComeInOrderWhenTheSessionReturns) {
  World world;
  durable(world, "app");
  world.subscribe(world.client("app"), "a", Qos::AtLeastOnce);
  world.drop(world.client("app"));
  Client& camera = world.connect("camera");
  std::vector<std::string> sent;
  for (int i = 0; i < 1000; ++i) {
    sent.push_back(std::to_string(i));
    world.publish(camera, "a", sent.back(), Qos::AtLeastOnce, static_cast<std::uint16_t>(i + 1));
  }
  EXPECT_TRUE(durable(world, "app").connack->session_present);
  EXPECT_EQ(world.client("app").payloads(), sent);
  EXPECT_THAT(world.storage.queue["app"], IsEmpty());
}

TEST(Broker, WhatComesWhileTheQueueIsReadComesOnceAndInOrder) {
  for (const int later : {1, 300}) {  // a short page, and more than one
    World world;
    durable(world, "app");
    world.subscribe(world.client("app"), "a", Qos::AtLeastOnce);
    world.drop(world.client("app"));
    Client& camera = world.connect("camera");
    std::vector<std::string> sent;
    const auto publish = [&] {
      sent.push_back(std::to_string(sent.size()));
      world.publish(camera, "a", sent.back(), Qos::AtLeastOnce, static_cast<std::uint16_t>(sent.size()));
    };
    publish();
    world.answers_pages = world.commits_by_itself = false;
    Client& app = durable(world, "app");
    publish();
    world.answer_pages();  // with the first only
    publish();
    world.commit();  // now storage is asked for the second
    for (int i = 0; i < later; ++i) publish();
    world.commit();
    world.answers_pages = world.commits_by_itself = true;
    world.answer_pages();  // it has the later ones as well by now
    EXPECT_EQ(app.payloads(), sent);
  }
}

TEST(Broker, WhatWasInFlightIsSentAgainWithDupAndItsPacketId) {
  World world;
  Client& app = durable(world, "app");
  app.acks = false;
  world.subscribe(app, "a", Qos::AtLeastOnce);
  world.publish(world.connect("camera"), "a", "x", Qos::AtLeastOnce);
  world.drop(app);
  durable(world, "app");
  ASSERT_EQ(app.received.size(), 2u);
  EXPECT_FALSE(app.received[0].dup);
  EXPECT_TRUE(app.received[1].dup);
  EXPECT_EQ(app.received[0].packet_id, app.received[1].packet_id);
}

TEST(Broker, ReceiveMaximumIsRestoredOnEachReconnect) {
  World world;
  Client& app = durable(world, "app");
  world.subscribe(app, "a", Qos::AtLeastOnce);
  app.acks = false;
  Client& camera = world.connect("camera");
  for (std::uint16_t i = 1; i <= 300; ++i) world.publish(camera, "a", std::to_string(i), Qos::AtLeastOnce, i);
  EXPECT_EQ(app.received.size(), 100u);
  for (int i = 0; i < 10; ++i) {
    world.drop(app);
    app.received.clear();
    durable(world, "app");
    EXPECT_EQ(app.received.size(), 100u);
  }
  world.drop(app);
  app.received.clear();
  app.acks = true;
  durable(world, "app");
  EXPECT_EQ(app.received.size(), 300u);
}

TEST(Broker, Qos2IsDeliveredOnceThoughThePublishIsRepeated) {
  World world;
  Client& app = world.connect("app");
  world.subscribe(app, "a", Qos::ExactlyOnce);
  Client& camera = world.connect("camera");
  const auto publish = [&](bool dup) {
    Publish packet{.dup = dup,
                   .qos = Qos::ExactlyOnce,
                   .retain = false,
                   .topic = "a",
                   .packet_id = {5},
                   .properties = {},
                   .payload = as_bytes("x")};
    std::vector<std::byte> bytes;
    write(packet, Version::V311, bytes);
    return bytes;
  };
  auto twice = publish(false);
  const auto again = publish(true);
  twice.insert(twice.end(), again.begin(), again.end());
  world.send_bytes(camera, twice);
  EXPECT_THAT(app.payloads(), ElementsAre("x"));
  EXPECT_EQ(app.received[0].qos, Qos::ExactlyOnce);
}

TEST(Broker, TakeoverTellsTheOldConnectionAndKeepsTheSession) {
  World world;
  Client& app = world.connect("app", {.clean = false, .version = Version::V5, .expiry_s = 60});
  world.subscribe(app, "a", Qos::AtLeastOnce);
  world.connect("app", {.clean = false, .version = Version::V5, .expiry_s = 60});
  EXPECT_EQ(world.taken_over().disconnect_reason, ReasonCode::SessionTakenOver);
  EXPECT_TRUE(world.client("app").connack->session_present);
  world.publish(world.connect("camera"), "a", "x", Qos::AtLeastOnce);
  EXPECT_THAT(world.client("app").payloads(), ElementsAre("x"));
}

TEST(Broker, AnotherPrincipalsClientIdIsRefusedAndLeftAlone) {
  World world;
  auto user = std::make_shared<UserRecord>();
  user->id = {1};
  user->username = "alice";
  world.users["alice"] = user;
  world.username_of["app"] = "alice";
  Client& app = durable(world, "app");
  EXPECT_EQ(app.connack->reason, ReasonCode::Success);
  world.drop(app);
  world.username_of.erase("app");
  world.connect("app");
  EXPECT_EQ(app.connack->reason, ReasonCode::NotAuthorized);
  world.username_of["app"] = "alice";
  EXPECT_TRUE(durable(world, "app").connack->session_present);
}

TEST(Broker, WillIsPublishedWhenTheSocketDiesAndNotOnDisconnect) {
  World world;
  Client& app = world.connect("app");
  world.subscribe(app, "will", Qos::AtLeastOnce);
  Will will{.qos = Qos::AtLeastOnce,
            .retain = false,
            .topic = "will",
            .payload = as_bytes("gone"),
            .properties = {},
            .delay_s = 0};
  world.connect("camera", {.will = will});
  world.disconnect(world.client("camera"));
  EXPECT_THAT(app.payloads(), IsEmpty());
  world.connect("camera", {.will = will});
  world.drop(world.client("camera"));
  EXPECT_THAT(app.payloads(), ElementsAre("gone"));
}

TEST(Broker, ADelayedWillIsNeverEarlyAndStaysHomeWhenTheClientReturns) {
  World world;
  Client& app = world.connect("app");
  world.subscribe(app, "will", Qos::AtMostOnce);
  Will will{.qos = Qos::AtMostOnce,
            .retain = false,
            .topic = "will",
            .payload = as_bytes("gone"),
            .properties = {},
            .delay_s = 10};
  const World::ConnectOptions options{.clean = false, .version = Version::V5, .expiry_s = 60, .will = will};
  world.connect("camera", options);
  world.drop(world.client("camera"));
  world.advance(9s);
  EXPECT_THAT(app.payloads(), IsEmpty());
  world.connect("camera", options);
  world.advance(5s);
  EXPECT_THAT(app.payloads(), IsEmpty());
  world.drop(world.client("camera"));
  world.advance(10s);
  EXPECT_THAT(app.payloads(), ElementsAre("gone"));
}

TEST(Broker, OnlyWhatTheClientSendsKeepsItAlive) {
  World world;
  Client& app = world.connect("app", {.version = Version::V5, .keep_alive_s = 10});
  world.subscribe(app, "a", Qos::AtMostOnce);
  Client& camera = world.connect("camera");
  for (int i = 0; i < 14; ++i) {
    world.advance(1s);
    world.publish(camera, "a", "x", Qos::AtMostOnce);
  }
  EXPECT_TRUE(app.is_connected);
  world.advance(2s);
  EXPECT_FALSE(app.is_connected);
  EXPECT_EQ(app.disconnect_reason, ReasonCode::KeepAliveTimeout);
}

TEST(Broker, ASocketWithoutConnectIsClosedInTime) {
  World world;
  Client& silent = world.client("silent");
  world.open(silent, Version::V311, 0);
  world.advance(9s);
  EXPECT_TRUE(silent.is_connected);
  world.advance(2s);
  EXPECT_FALSE(silent.is_connected);
}

TEST(Broker, RetainedMessagesComeAfterTheSuback) {
  World world(2);
  Client& camera = world.connect("camera");
  world.publish(camera, "state/1", "on", Qos::AtLeastOnce, 1, true);
  world.publish(camera, "state/2", "off", Qos::AtMostOnce, 0, true);
  for (const std::string id : {"app", "bpp", "cpp"}) {
    Client& app = world.connect(id);
    world.subscribe(app, "state/#", Qos::AtLeastOnce);
    EXPECT_THAT(app.payloads(), ElementsAre("on", "off"));
    EXPECT_TRUE(app.received[0].retain);
  }
  world.publish(camera, "state/1", "", Qos::AtMostOnce, 0, true);
  world.crash(0);
  Client& later = world.connect("later");
  world.subscribe(later, "state/#", Qos::AtMostOnce);
  EXPECT_THAT(later.payloads(), ElementsAre("off"));
}

TEST(Broker, ShardsReachEachOther) {
  for (const unsigned shards : {1u, 2u, 4u}) {
    World world(shards);
    std::vector<Client*> apps;
    for (int i = 0; i < 16; ++i) {
      Client& app =
          world.connect("app" + std::to_string(i), {.clean = false, .accepted_by = static_cast<unsigned>(i)});
      world.subscribe(app, i % 2 ? "a/+" : "a/b", Qos::AtLeastOnce);
      apps.push_back(&app);
    }
    Client& camera = world.connect("camera");
    world.publish(camera, "a/b", "x", Qos::AtLeastOnce, 9);
    EXPECT_THAT(camera.pubacks, ElementsAre(Pub(9, ReasonCode::Success)));
    for (const Client* app : apps)
      EXPECT_THAT(app->payloads(), ElementsAre("x")) << app->id << " of " << shards;
  }
}

TEST(Broker, AFullQueueIsSaidToTheV5Publisher) {
  Limits limits;
  limits.max_queued_messages = 3;
  World world(1, limits);
  durable(world, "app");
  world.subscribe(world.client("app"), "a", Qos::AtLeastOnce);
  world.drop(world.client("app"));
  Client& camera = world.connect("camera", {.version = Version::V5});
  for (std::uint16_t i = 1; i <= 4; ++i) world.publish(camera, "a", "x", Qos::AtLeastOnce, i);
  ASSERT_EQ(camera.pubacks.size(), 4u);
  EXPECT_EQ(camera.pubacks[2].second, ReasonCode::Success);
  EXPECT_EQ(camera.pubacks[3].second, ReasonCode::QuotaExceeded);
  Client& old = world.connect("old");
  world.publish(old, "a", "x", Qos::AtLeastOnce, 1);
  EXPECT_THAT(old.pubacks, IsEmpty());
  EXPECT_FALSE(old.is_connected);
}

TEST(Broker, AMalformedPacketClosesOnlyItsSender) {
  World world;
  Client& app = world.connect("app");
  Client& bad = world.connect("bad", {.version = Version::V5});
  world.send_bytes(bad,
                   {std::byte{0x36}, std::byte{3}, std::byte{0}, std::byte{1}, std::byte{'a'}});  // QoS 3
  EXPECT_FALSE(bad.is_connected);
  EXPECT_EQ(bad.disconnect_reason, ReasonCode::MalformedPacket);
  world.send(app, Pingreq{});
  EXPECT_EQ(app.pingresps, 1);
}

TEST(Broker, SessionsExpire) {
  World world;
  world.connect("app", {.clean = false, .version = Version::V5, .expiry_s = 5});
  world.drop(world.client("app"));
  world.advance(4s);
  EXPECT_TRUE(world.storage.sessions.contains("app"));
  world.advance(2s);
  EXPECT_FALSE(world.storage.sessions.contains("app"));
}

TEST(Broker, BackEndPublishIsAnsweredWhenSettled) {
  World world;
  durable(world, "app");
  world.subscribe(world.client("app"), "a", Qos::AtLeastOnce);
  world.drop(world.client("app"));
  world.commits_by_itself = false;
  world.shard(0).publish({.id = {}, .topic = "a", .payload = "x", .qos = Qos::AtLeastOnce}, 42, world.now);
  world.settle();
  EXPECT_THAT(world.settled, IsEmpty());
  world.commit();
  ASSERT_EQ(world.settled.size(), 1u);
  EXPECT_EQ(world.settled[0].ticket, 42u);
  EXPECT_EQ(world.settled[0].reason, ReasonCode::Success);
}

}  // namespace
}  // namespace wake::test
