// Granting and revoking take effect at once (contract §6), on who is connected and on who is away.
#include <gmock/gmock.h>

#include "tests/support/simulated_world.hpp"

namespace wake::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Principal kCamera{Principal::Kind::Device, "CAM1", "CAM1"};
const Principal kOther{Principal::Kind::Device, "CAM2", "CAM2"};

Grants only(std::string filter) {
  Grants grants;
  grants.subscribe_filters = grants.publish_filters = {std::move(filter)};
  return grants;
}

/// A client of this principal with a persistent session, subscribed to a/# and b/#.
Client& subscriber(World& world, const std::string& id, const Principal& principal, bool clean = false) {
  world.outcome_of[id] = {AuthOutcome::Kind::Allowed, principal, only("#")};
  Client& client = world.connect(id, {.clean = clean, .version = Version::V5, .expiry_s = 3600});
  world.subscribe(client, "a/#", Qos::AtLeastOnce);
  world.subscribe(client, "b/#", Qos::AtLeastOnce);
  return client;
}

void send_both(World& world) {
  Client& back_end = world.client("back-end");
  if (!back_end.is_connected) world.connect("back-end");
  world.publish(back_end, "a/1", "a", Qos::AtLeastOnce);
  world.publish(back_end, "b/1", "b", Qos::AtLeastOnce);
}

TEST(BrokerAccess, NewGrantsEndTheSubscriptionsTheyDoNotCover) {
  World world;
  Client& camera = subscriber(world, "CAM1", kCamera);
  world.shard(0).apply_grants({"CAM1"}, only("b/#"), world.now);
  world.settle();
  send_both(world);
  EXPECT_THAT(camera.payloads(), ElementsAre("b"));
  world.subscribe(camera, "a/#", Qos::AtLeastOnce);
  EXPECT_EQ(camera.subacks.back(), ReasonCode::NotAuthorized);
}

TEST(BrokerAccess, WhoIsAwayLosesThemToo) {
  World world;
  Client& camera = subscriber(world, "CAM1", kCamera);
  world.drop(camera);
  world.shard(0).apply_grants({"CAM1"}, only("b/#"), world.now);
  world.settle();
  send_both(world);
  world.connect("CAM1", {.clean = false, .version = Version::V5, .expiry_s = 3600});
  EXPECT_THAT(camera.payloads(), ElementsAre("b"));
}

TEST(BrokerAccess, WhatWasTakenAwayUnnoticedEndsWhenTheClientReturns) {
  World world;
  Client& camera = subscriber(world, "CAM1", kCamera);
  world.drop(camera);
  world.outcome_of["CAM1"].grants = only("b/#");
  world.connect("CAM1", {.clean = false, .version = Version::V5, .expiry_s = 3600});
  send_both(world);
  EXPECT_THAT(camera.payloads(), ElementsAre("b"));
}

const World::ConnectOptions kBack{.clean = false, .version = Version::V5, .expiry_s = 3600};

TEST(BrokerAccess, WhatWaitedForWhoIsAwayDoesNotComeAfterItWasTakenAway) {
  for (const bool is_noticed : {true, false}) {
    World world;
    Client& camera = subscriber(world, "CAM1", kCamera);
    world.drop(camera);
    send_both(world);
    world.outcome_of["CAM1"].grants = only("b/#");
    if (is_noticed) world.shard(0).apply_grants({"CAM1"}, only("b/#"), world.now);
    world.settle();
    world.connect("CAM1", kBack);
    EXPECT_THAT(camera.payloads(), ElementsAre("b"));
    EXPECT_THAT(world.storage.queue["CAM1"], IsEmpty());
    EXPECT_EQ(world.shard(0).counters().queued_messages, 0u);
    EXPECT_THAT(world.incidents, testing::Contains("queue.revoked"));
  }
}

TEST(BrokerAccess, NorAfterARestart) {
  World world;
  world.drop(subscriber(world, "CAM1", kCamera));
  send_both(world);
  world.crash(0);
  world.outcome_of["CAM1"].grants = only("b/#");
  world.connect("CAM1", kBack);
  EXPECT_THAT(world.client("CAM1").payloads(), ElementsAre("b"));
  EXPECT_THAT(world.storage.queue["CAM1"], IsEmpty());
}

TEST(BrokerAccess, WhatWaitsForASlotOrForAnAcknowledgementIsNotSentAfterIt) {
  World world;
  Client& camera = subscriber(world, "CAM1", kCamera);
  world.drop(camera);
  World::ConnectOptions one_at_a_time = kBack;
  one_at_a_time.properties.receive_maximum = 1;
  world.connect("CAM1", one_at_a_time);
  camera.acks = false;
  send_both(world);
  send_both(world);
  EXPECT_THAT(camera.payloads(), ElementsAre("a"));
  world.outcome_of["CAM1"].grants = only("b/#");
  world.shard(0).apply_grants({"CAM1"}, only("b/#"), world.now);
  world.settle();
  world.ack(camera, camera.received[0].packet_id);
  EXPECT_THAT(camera.payloads(), ElementsAre("a", "b"));
  world.outcome_of["CAM1"].grants = only("c/#");
  world.drop(camera);
  camera.received.clear();
  world.connect("CAM1", kBack);
  EXPECT_THAT(camera.payloads(), IsEmpty()) << "not again either";
  EXPECT_THAT(world.storage.queue["CAM1"], IsEmpty());
}

TEST(BrokerAccess, RetainedMessagesThatAreStillToComeDoNot) {
  World world;
  Client& back_end = world.connect("back-end");
  for (int i = 0; i < 5000; ++i)
    world.publish(back_end, "a/" + std::to_string(i), "x", Qos::AtMostOnce, 1, true);
  Client& camera = subscriber(world, "CAM1", kCamera);
  const std::size_t before = camera.received.size();
  EXPECT_LT(before, 5000u) << "they come in slices";
  world.shard(0).apply_grants({"CAM1"}, only("b/#"), world.now);
  world.advance(60s);
  EXPECT_EQ(camera.received.size(), before);
}

TEST(BrokerAccess, AQos2MessageThatHasBegunEndsWithItsClient) {
  World world;
  Client& camera = subscriber(world, "CAM1", kCamera);
  world.subscribe(camera, "a/#", Qos::ExactlyOnce);
  camera.acks = false;
  world.connect("back-end");
  world.publish(world.client("back-end"), "a/1", "begun", Qos::ExactlyOnce);
  EXPECT_THAT(camera.payloads(), ElementsAre("begun"));
  world.drop(camera);
  world.outcome_of["CAM1"].grants = only("b/#");
  world.connect("CAM1", kBack);
  EXPECT_THAT(camera.payloads(), ElementsAre("begun", "begun"));
}

TEST(BrokerAccess, ChangedCredentialsEndTheConnectionsOfThatPrincipalOnly) {
  World world;
  Client& camera = subscriber(world, "CAM1", kCamera);
  Client& second = subscriber(world, "CAM1-second", kCamera);
  Client& other = subscriber(world, "CAM2", kOther);
  world.shard(0).end_logins(kCamera, false, world.now);
  world.settle();
  EXPECT_FALSE(camera.is_connected);
  EXPECT_EQ(camera.disconnect_reason, ReasonCode::AdministrativeAction);
  EXPECT_FALSE(second.is_connected);
  EXPECT_TRUE(other.is_connected);
  send_both(world);
  world.connect("CAM1", {.clean = false, .version = Version::V5, .expiry_s = 3600});
  EXPECT_THAT(camera.payloads(), ElementsAre("a", "b")) << "its session waited";
}

TEST(BrokerAccess, APrincipalThatIsGoneLeavesNothingBehind) {
  World world;
  subscriber(world, "CAM1", kCamera);
  Client& away = subscriber(world, "CAM1-away", kCamera);
  Client& clean = subscriber(world, "CAM1-clean", kCamera, true);
  world.drop(away);
  world.shard(0).end_logins(kCamera, true, world.now);
  world.settle();
  EXPECT_FALSE(clean.is_connected);
  EXPECT_EQ(world.shard(0).counters().sessions, 0u);
  EXPECT_THAT(world.storage.sessions, IsEmpty());
  send_both(world);
  EXPECT_THAT(world.storage.queue["CAM1-away"], IsEmpty());
}

AuthOutcome by_token(std::optional<UtcTime> expires_at, std::int64_t login) {
  AuthOutcome outcome{.kind = AuthOutcome::Kind::Allowed, .principal = kCamera, .grants = {}};
  outcome.expires_at = expires_at;
  outcome.token_login = login;
  return outcome;
}

TEST(BrokerAccess, AConnectionEndsWithTheTokenItWasMadeBy) {
  World world;
  world.outcome_of["app"] = by_token(world.now.utc + 90s, 1);
  Client& app = world.connect("app", {.version = Version::V5, .keep_alive_s = 0});
  world.advance(89s);
  EXPECT_TRUE(app.is_connected);
  world.advance(2s);
  EXPECT_FALSE(app.is_connected);
  EXPECT_EQ(app.disconnect_reason, ReasonCode::MaximumConnectTime);
}

TEST(BrokerAccess, PacketsKeepAConnectionAliveButNotItsToken) {
  World world;
  world.outcome_of["app"] = by_token(world.now.utc + 100s, 1);
  Client& app = world.connect("app", {.version = Version::V5, .keep_alive_s = 30});
  for (int i = 0; i < 4; ++i) {
    world.advance(20s);
    world.send(app, Pingreq{});
  }
  EXPECT_TRUE(app.is_connected);
  world.advance(21s);
  EXPECT_EQ(app.disconnect_reason, ReasonCode::MaximumConnectTime);
}

TEST(BrokerAccess, WithoutKeepAliveAndTokenNothingEndsIt) {
  World world;
  Client& app = world.connect("app", {.version = Version::V5, .keep_alive_s = 0});
  world.advance(24h);
  EXPECT_TRUE(app.is_connected);
}

TEST(BrokerAccess, AConnectionMadeByAFormerCredentialEndsAndOneByTheNewDoesNot) {
  World world;
  world.outcome_of["former"] = world.outcome_of["new"] = by_token(std::nullopt, 0);
  world.outcome_of["former"].credential = 1;
  world.outcome_of["new"].credential = 2;
  Client& former = world.connect("former", {.version = Version::V5});
  Client& current = world.connect("new", {.version = Version::V5});
  for (const char* id : {"former", "new", "nobody"}) world.shard(0).end_former_login({id}, 2, world.now);
  world.settle();
  EXPECT_EQ(former.disconnect_reason, ReasonCode::AdministrativeAction);
  EXPECT_TRUE(current.is_connected);
}

TEST(BrokerAccess, ASessionSaysWhetherItsClientIsHereAndByWhichLogIn) {
  World world;
  world.outcome_of["here"] = world.outcome_of["away"] = by_token(std::nullopt, 7);
  world.connect("here", {.version = Version::V5});
  world.drop(world.connect("away", {.clean = false, .version = Version::V5, .expiry_s = 60}));
  for (const SessionView& view : world.shard(0).sessions([](const Principal&) { return true; })) {
    EXPECT_EQ(view.is_connected, view.client_id.value == "here");
    EXPECT_EQ(view.token_login, view.is_connected ? 7 : 0);
  }
}

TEST(BrokerAccess, ARevokedLogInEndsItsConnectionsOnly) {
  World world;
  world.outcome_of["phone"] = by_token(std::nullopt, 1);
  world.outcome_of["tablet"] = by_token(std::nullopt, 2);
  Client& phone = world.connect("phone", {.version = Version::V5});
  Client& tablet = world.connect("tablet", {.version = Version::V5});
  world.shard(0).revoke_login(1, world.now);
  world.settle();
  EXPECT_EQ(phone.disconnect_reason, ReasonCode::AdministrativeAction);
  EXPECT_TRUE(tablet.is_connected);
}

}  // namespace
}  // namespace wake::test
