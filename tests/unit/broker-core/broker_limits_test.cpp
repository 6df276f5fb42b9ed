// What a client can make grow ends at a limit with the protocol's own word: one below, at, one above.
#include <gmock/gmock.h>

#include "tests/support/simulated_world.hpp"

namespace wake::test {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using Pub = std::pair<std::uint16_t, ReasonCode>;

constexpr World::ConnectOptions kDurableV5{.clean = false, .version = Version::V5, .expiry_s = 3600};

std::size_t count(const World& world, const std::string& event) {
  return static_cast<std::size_t>(std::count(world.incidents.begin(), world.incidents.end(), event));
}

/// A session that subscribed and went away.
void absent(World& world, const std::string& id, const std::string& filter) {
  world.subscribe(world.connect(id, kDurableV5), filter, Qos::AtLeastOnce);
  world.drop(world.client(id));
}

TEST(FullQueue, OneFullSessionDeniesNobodyElseAndClosesNo3xPublisher) {
  for (const unsigned shards : {1u, 2u, 3u}) {
    Limits limits;
    limits.max_queued_messages = 2;
    World world(shards, limits);
    absent(world, "idle", "a");
    Client& app = world.connect("app", kDurableV5);
    world.subscribe(app, "a", Qos::AtLeastOnce);
    Client& old = world.connect("old");
    Client& modern = world.connect("modern", {.version = Version::V5});
    for (std::uint16_t i = 1; i <= 5; ++i) {
      world.publish(old, "a", "x", Qos::AtLeastOnce, i);
      world.publish(modern, "a", "x", Qos::AtLeastOnce, i);
    }
    EXPECT_TRUE(old.is_connected);
    EXPECT_EQ(old.pubacks.size(), 5u);
    EXPECT_EQ(app.received.size(), 10u);
    EXPECT_EQ(modern.pubacks.size(), 5u);
    EXPECT_THAT(modern.pubacks, Each(testing::Field(&Pub::second, ReasonCode::Success)));
    EXPECT_THAT(modern.ack_reasons, Contains("the queue of at least one receiver is full"));
    EXPECT_EQ(world.storage.queue["idle"].size(), 2u);
  }
}

TEST(FullQueue, IsLoggedWhenItBeginsAndWhenItEndsAndCountedPerMessage) {
  Limits limits;
  limits.max_queued_messages = 10;
  World world(1, limits);
  absent(world, "idle", "a");
  Client& camera = world.connect("camera", {.version = Version::V5});
  for (std::uint16_t i = 1; i <= 15; ++i) world.publish(camera, "a", "x", Qos::AtLeastOnce, i);
  EXPECT_EQ(count(world, "queue.full"), 1u);
  EXPECT_EQ(world.shard(0).counters().messages_refused, 5u);
  EXPECT_EQ(count(world, "queue.has_room"), 0u);
  world.connect("idle", kDurableV5);
  EXPECT_EQ(count(world, "queue.has_room"), 1u);
  world.publish(camera, "a", "x", Qos::AtLeastOnce, 16);
  EXPECT_EQ(camera.pubacks.back().second, ReasonCode::Success);
}

TEST(FullQueue, EveryRefusalIsInTheTraceUpToABound) {
  Limits limits;
  limits.max_queued_messages = 2;
  World world(1, limits);
  absent(world, "idle", "a");
  Client& camera = world.connect("camera", {.version = Version::V5});
  for (int i = 0; i < 1500; ++i) {
    world.publish(camera, "a", "x", Qos::AtLeastOnce, static_cast<std::uint16_t>(i + 1));
  }
  const auto& refused = world.storage.refused;
  ASSERT_EQ(refused.size(), 1000u);
  EXPECT_EQ(refused.front().client_id.value, "idle");
  EXPECT_EQ(refused.front().topic, "a");
  EXPECT_NE(refused.front().message_id.value, refused.back().message_id.value);
  EXPECT_EQ(world.shard(0).counters().messages_refused, 1498u);
}

TEST(FullQueue, DropsTheOldestWhenThePolicySaysSo) {
  Limits limits;
  limits.max_queued_messages = 10;
  limits.queue_full = QueueFull::DropOldest;
  World world(1, limits);
  absent(world, "idle", "a");
  Client& camera = world.connect("camera");
  for (std::uint16_t i = 1; i <= 25; ++i) world.publish(camera, "a", std::to_string(i), Qos::AtLeastOnce, i);
  EXPECT_EQ(camera.pubacks.size(), 25u);
  EXPECT_LE(world.storage.queue["idle"].size(), 10u);
  EXPECT_EQ(count(world, "queue.full"), 1u);
  Client& idle = world.connect("idle", kDurableV5);
  ASSERT_GE(idle.received.size(), 9u);
  const int first = 26 - static_cast<int>(idle.received.size());
  EXPECT_EQ(world.shard(0).counters().messages_evicted, static_cast<std::uint64_t>(first - 1));
  for (std::size_t i = 0; i < idle.received.size(); ++i)
    EXPECT_EQ(idle.received[i].payload, std::to_string(first + static_cast<int>(i)));
}

TEST(FullQueue, DropsTheOldestOfAConnectedReaderThatDoesNotAcknowledge) {
  Limits limits;
  limits.max_queued_messages = 10;
  limits.max_inflight = 2;
  limits.queue_full = QueueFull::DropOldest;
  World world(1, limits);
  Client& app = world.connect("app");
  app.acks = false;
  world.subscribe(app, "a", Qos::AtLeastOnce);
  Client& camera = world.connect("camera");
  for (std::uint16_t i = 1; i <= 15; ++i) world.publish(camera, "a", std::to_string(i), Qos::AtLeastOnce, i);
  EXPECT_THAT(app.payloads(), ElementsAre("1", "2"));
  EXPECT_EQ(world.shard(0).counters().messages_evicted, 5u);
  app.acks = true;
  world.ack(app, app.received[0].packet_id);
  world.ack(app, app.received[1].packet_id);
  EXPECT_THAT(app.payloads(), ElementsAre("1", "2", "8", "9", "10", "11", "12", "13", "14", "15"));
}

TEST(RetainedLimit, OneMoreIsRefusedAndNotRetained) {
  Limits limits;
  limits.max_retained_messages = 2;
  World world(2, limits);
  Client& camera = world.connect("camera", {.version = Version::V5});
  for (std::uint16_t i = 1; i <= 3; ++i)
    world.publish(camera, "t/" + std::to_string(i), "x", Qos::AtLeastOnce, i, true);
  world.publish(camera, "t/1", "y", Qos::AtLeastOnce, 4, true);  // replacing is no more
  ASSERT_EQ(camera.pubacks.size(), 4u);
  EXPECT_EQ(camera.pubacks[1].second, ReasonCode::Success);
  EXPECT_EQ(camera.pubacks[2].second, ReasonCode::QuotaExceeded);
  EXPECT_EQ(camera.pubacks[3].second, ReasonCode::Success);
  EXPECT_EQ(world.storage.retained.size(), 2u);
  EXPECT_FALSE(world.storage.retained.contains("t/3"));
  EXPECT_EQ(world.shard(0).counters().retained, 2u);
  EXPECT_EQ(world.shard(1).counters().retained, 2u);
  EXPECT_EQ(count(world, "retained.full"), 1u);
  world.publish(camera, "t/1", "", Qos::AtLeastOnce, 5, true);
  world.publish(camera, "t/3", "x", Qos::AtLeastOnce, 6, true);
  EXPECT_TRUE(world.storage.retained.contains("t/3"));
}

TEST(RetainedLimit, CountsBytesOfWhatIsThere) {
  Limits limits;
  limits.max_retained_bytes = 100;
  World world(1, limits);
  Client& camera = world.connect("camera", {.version = Version::V5});
  const std::string most(99, 'x');
  world.publish(camera, "t", most, Qos::AtLeastOnce, 1, true);
  world.publish(camera, "t", most + "x", Qos::AtLeastOnce, 2, true);
  world.publish(camera, "t", most, Qos::AtLeastOnce, 3, true);
  world.publish(camera, "u", "", Qos::AtLeastOnce, 4, true);
  EXPECT_EQ(camera.pubacks[0].second, ReasonCode::Success);
  EXPECT_EQ(camera.pubacks[1].second, ReasonCode::QuotaExceeded);
  EXPECT_EQ(camera.pubacks[2].second, ReasonCode::Success);
  EXPECT_EQ(world.storage.retained.at("t").payload.size(), 99u);
}

TEST(RetainedLimit, AFullReceiverDoesNotKeepAMessageFromBeingRetained) {
  Limits limits;
  limits.max_queued_messages = 1;
  World world(1, limits);
  absent(world, "idle", "a");
  Client& camera = world.connect("camera", {.version = Version::V5});
  world.publish(camera, "a", "1", Qos::AtLeastOnce, 1, true);
  world.publish(camera, "a", "2", Qos::AtLeastOnce, 2, true);
  EXPECT_EQ(camera.pubacks[1].second, ReasonCode::Success);
  EXPECT_EQ(world.storage.retained.at("a").payload, "2");
}

TEST(SessionLimit, OneMoreOfAPrincipalIsRefusedWhereverItLives) {
  Limits limits;
  limits.max_sessions_per_principal = 3;
  World world(3, limits);
  auto user = std::make_shared<UserRecord>();
  user->id = {1};
  user->username = "ann";
  world.users["ann"] = user;
  for (int i = 1; i <= 6; ++i) world.username_of["s" + std::to_string(i)] = "ann";
  for (int i = 1; i <= 3; ++i)
    EXPECT_EQ(world.connect("s" + std::to_string(i), kDurableV5).connack->reason, ReasonCode::Success);
  EXPECT_EQ(world.connect("s4", kDurableV5).connack->reason, ReasonCode::QuotaExceeded);
  EXPECT_EQ(world.connect("s5", {.clean = false}).connack->reason, ReasonCode::ServerUnavailable);  // code 3
  EXPECT_EQ(world.connect("s6").connack->reason, ReasonCode::Success);  // ends with its connection
  EXPECT_EQ(world.connect("stranger", kDurableV5).connack->reason, ReasonCode::Success);
  world.crash(0);
  EXPECT_EQ(world.connect("s4", kDurableV5).connack->reason, ReasonCode::QuotaExceeded);
  EXPECT_TRUE(world.connect("s1", kDurableV5).connack->session_present);
  world.disconnect(world.connect("s1", {.version = Version::V5}));
  EXPECT_EQ(world.connect("s4", kDurableV5).connack->reason, ReasonCode::Success);
}

TEST(SessionLimit, AnonymousClientsAreCountedTogether) {
  Limits limits;
  limits.max_anonymous_sessions = 2;
  limits.max_sessions_per_principal = 1;
  World world(2, limits);
  for (const char* id : {"a", "b"})
    EXPECT_EQ(world.connect(id, kDurableV5).connack->reason, ReasonCode::Success);
  EXPECT_EQ(world.connect("c", kDurableV5).connack->reason, ReasonCode::QuotaExceeded);
  EXPECT_EQ(world.connect("d", {.version = Version::V5}).connack->reason, ReasonCode::Success)
      << "a session that ends with its connection";
  EXPECT_TRUE(world.connect("a", kDurableV5).connack->session_present);
}

TEST(SessionLimit, ASessionLastsNoLongerThanAllowed) {
  Limits limits;
  limits.max_session_expiry = std::chrono::seconds(60);
  World world(1, limits);
  world.connect("modern", kDurableV5);
  world.connect("old", {.clean = false});
  EXPECT_EQ(world.client("modern").session_expiry_s, 60u);
  world.drop(world.client("modern"));
  world.drop(world.client("old"));
  world.advance(59s);
  EXPECT_EQ(world.storage.sessions.size(), 2u);
  world.advance(2s);
  EXPECT_THAT(world.storage.sessions, IsEmpty());
}

TEST(SubscriptionLimit, AMillionSubscriptionsEndAtTheLimit) {
  Limits limits;
  limits.max_subscriptions = 1000;
  World world(1, limits);
  Client& greedy = world.connect("greedy", {.version = Version::V5});
  for (int i = 0; i < 1002; ++i) world.subscribe(greedy, "t/" + std::to_string(i), Qos::AtLeastOnce);
  EXPECT_THAT(greedy.subacks, ElementsAre(ReasonCode::QuotaExceeded));
  EXPECT_EQ(world.shard(0).counters().subscriptions, 1000u);
  world.subscribe(greedy, "t/5", Qos::AtMostOnce);
  EXPECT_THAT(greedy.subacks, ElementsAre(ReasonCode::GrantedQos0));
}

TEST(StorageLimit, PublishesAreRefusedWhileTooMuchWaitsForStorage) {
  Limits limits;
  limits.max_unstored_bytes = 10'000;
  World world(1, limits);
  absent(world, "idle", "a");
  world.commits_by_itself = false;
  Client& camera = world.connect("camera", {.version = Version::V5});
  for (std::uint16_t i = 1; i <= 3; ++i)
    world.publish(camera, "a", std::string(6'000, 'x'), Qos::AtLeastOnce, i);
  world.commit();
  EXPECT_THAT(camera.pubacks, ElementsAre(Pub(1, ReasonCode::Success), Pub(2, ReasonCode::Success),
                                          Pub(3, ReasonCode::QuotaExceeded)));
  world.publish(camera, "a", "x", Qos::AtLeastOnce, 4);
  world.commit();
  EXPECT_EQ(camera.pubacks.back(), Pub(4, ReasonCode::Success));
}

}  // namespace
}  // namespace wake::test
