// Many retained messages and a subscription to all of them: sent in slices, the others served in between.
#include <gmock/gmock.h>

#include "tests/support/simulated_world.hpp"

namespace wake::test {
namespace {

constexpr int kTopics = 200'000;
constexpr std::uint64_t kRound = 2'000;  // messages that one round may produce

void fill(World& world) {
  for (int i = 0; i < kTopics; ++i) {
    world.shard(0).load_retained({.id = {i + 1},
                                  .topic = "t/" + std::to_string(i),
                                  .payload = "x",
                                  .qos = Qos::AtLeastOnce,
                                  .retain = true});
  }
}

/// The world's next round; how many messages it produced.
std::uint64_t next_round(World& world) {
  const std::uint64_t before = world.shard(0).counters().publishes_sent;
  const auto due = world.shard(0).next_deadline();
  if (due) world.advance(*due - world.now.steady);
  return world.shard(0).counters().publishes_sent - before;
}

TEST(BrokerRetained, EverythingComesInBoundedRoundsAndOthersAreServedBetween) {
  for (const Qos qos : {Qos::AtMostOnce, Qos::AtLeastOnce}) {
    World world;
    fill(world);
    Client& camera = world.connect("camera");
    Client& other = world.connect("other");
    world.subscribe(other, "live", Qos::AtMostOnce);
    Client& greedy = world.connect("greedy");
    world.subscribe(greedy, "#", qos);
    EXPECT_LE(greedy.received.size(), kRound);
    std::size_t rounds = 0;
    while (greedy.received.size() - rounds < kTopics && rounds < 5'000) {
      ASSERT_LE(next_round(world), kRound);
      world.publish(camera, "live", "now", Qos::AtMostOnce);
      ++rounds;
      ASSERT_EQ(other.received.size(), rounds);
    }
    EXPECT_GT(rounds, kTopics / kRound);
    std::set<std::string> topics;
    for (const Received& one : greedy.received) topics.insert(one.topic);
    EXPECT_EQ(topics.size(), kTopics + 1u);
  }
}

TEST(BrokerRetained, AHundredSubscribersAtOnceMakeNoLongRound) {
  World world;
  fill(world);
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t before = world.shard(0).counters().publishes_sent;
    world.subscribe(world.connect("app" + std::to_string(i)), "#", Qos::AtMostOnce);
    ASSERT_LE(world.shard(0).counters().publishes_sent - before, kRound);
  }
  for (int i = 0; i < 20; ++i) ASSERT_LE(next_round(world), kRound);
}

TEST(BrokerRetained, AFilterThatFindsLittleDoesNotWalkAllInOneRound) {
  World world;
  fill(world);
  world.shard(0).load_retained(
      {.id = {kTopics + 1}, .topic = "t/99999/last", .payload = "found", .retain = true});
  Client& app = world.connect("app");
  world.subscribe(app, "+/+/last", Qos::AtMostOnce);
  std::size_t rounds = 0;
  for (; app.received.empty() && rounds < 5'000; ++rounds) next_round(world);
  EXPECT_GT(rounds, 20u);
  EXPECT_EQ(app.received.size(), 1u);
}

TEST(BrokerRetained, SubscribingAgainAndAgainKeepsOneWalk) {
  World world;
  fill(world);
  Client& app = world.connect("app");
  for (int i = 0; i < 100; ++i) world.subscribe(app, "t/#", Qos::AtMostOnce);
  const std::size_t before = app.received.size();
  EXPECT_LE(before, kRound);
  for (std::size_t rounds = 0; rounds < 2'000; ++rounds) next_round(world);
  EXPECT_EQ(app.received.size() - before, static_cast<std::size_t>(kTopics));
}

TEST(BrokerRetained, ExpiryIsCountedDownAndTheExpiredStayHome) {
  World world;
  const auto retained = [&](const std::string& topic, std::int64_t id, std::chrono::seconds left) {
    world.shard(0).load_retained(
        {.id = {id}, .topic = topic, .payload = "x", .retain = true, .expires_at = world.now.utc + left});
  };
  retained("soon", 1, 10s);
  retained("later", 2, 100s);
  world.advance(30s);
  Client& app = world.connect("app", {.version = Version::V5});
  world.subscribe(app, "#", Qos::AtMostOnce);
  ASSERT_EQ(app.received.size(), 1u);
  EXPECT_EQ(app.received[0].topic, "later");
  EXPECT_EQ(app.received[0].expiry_s, 70u);
}

}  // namespace
}  // namespace wake::test
