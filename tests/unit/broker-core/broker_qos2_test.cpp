// QoS 2 both ways through reconnects and kill -9: the clients keep the protocol's own account, and the
// application behind each must get every message once.
#include <random>

#include <gmock/gmock.h>

#include "tests/support/simulated_world.hpp"

namespace wake::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Pub = std::pair<std::uint16_t, ReasonCode>;

constexpr auto kQos2 = Qos::ExactlyOnce;

Client& durable(World& world, const std::string& id, Version version = Version::V311) {
  return world.connect(id, {.clean = false, .version = version, .expiry_s = 3600});
}

void pubrel(World& world, Client& client, std::uint16_t packet_id) {
  world.send(client, Ack{PacketType::Pubrel, {packet_id}, ReasonCode::Success, {}, {}});
}

TEST(BrokerQos2, ARepeatedPublishIsNotRoutedAgainAfterARestart) {
  World world;
  durable(world, "app");
  world.subscribe(world.client("app"), "a", kQos2);
  world.drop(world.client("app"));
  Client& camera = durable(world, "camera");
  camera.answers_pubrec = false;
  world.publish(camera, "a", "x", kQos2, 7);
  EXPECT_THAT(camera.pubacks, ElementsAre(Pub(7, ReasonCode::Success)));
  world.crash(0);
  durable(world, "camera");
  world.publish(camera, "a", "x", kQos2, 7, false, true);
  EXPECT_EQ(camera.pubacks.size(), 2u);
  EXPECT_EQ(world.storage.queue["app"].size(), 1u);
  pubrel(world, camera, 7);
  EXPECT_THAT(camera.pubcomps, ElementsAre(7));
  EXPECT_THAT(world.storage.receipts, IsEmpty());
  world.publish(camera, "a", "y", kQos2, 7);
  EXPECT_EQ(world.storage.queue["app"].size(), 2u);
}

TEST(BrokerQos2, PubrecAndPubcompWaitUntilTheReceiptIsOnDiskOrGone) {
  World world;
  Client& camera = durable(world, "camera");
  world.commits_by_itself = false;
  world.publish(camera, "nobody", "x", kQos2, 7);
  EXPECT_THAT(camera.pubacks, IsEmpty());
  world.commit();  // the camera's PUBREL is answered by the next one
  EXPECT_THAT(camera.pubacks, ElementsAre(Pub(7, ReasonCode::Success)));
  EXPECT_THAT(camera.pubcomps, IsEmpty());
  EXPECT_EQ(world.storage.receipts.size(), 1u);
  world.commit();
  EXPECT_THAT(camera.pubcomps, ElementsAre(7));
}

TEST(BrokerQos2, AnUnsettledPublishRepeatedOnANewConnectionIsAnsweredWhenItIsDurable) {
  World world;
  durable(world, "app");
  world.subscribe(world.client("app"), "a", kQos2);
  world.drop(world.client("app"));
  Client& camera = durable(world, "camera");
  world.commits_by_itself = false;
  world.publish(camera, "a", "x", kQos2, 7);
  world.drop(camera);
  durable(world, "camera");
  world.publish(camera, "a", "x", kQos2, 7, false, true);
  EXPECT_THAT(camera.pubacks, IsEmpty());
  world.commit();
  EXPECT_THAT(camera.pubacks, ElementsAre(Pub(7, ReasonCode::Success)));
  EXPECT_EQ(world.storage.queue["app"].size(), 1u);
}

TEST(BrokerQos2, ThePublishLeavesWhenItsPacketIdIsOnDiskAndKeepsItThroughARestart) {
  World world;
  Client& app = durable(world, "app");
  world.subscribe(app, "a", kQos2);
  Client& camera = world.connect("camera");
  for (std::uint16_t i = 1; i <= 5; ++i) world.publish(camera, "a", "before", kQos2, i);  // numbers go on
  app.acks = false;
  app.received.clear();
  world.commits_by_itself = false;
  world.publish(camera, "a", "x", kQos2, 6);
  world.publish(camera, "a", "y", Qos::AtLeastOnce, 7);
  EXPECT_THAT(app.received, IsEmpty());  // and QoS 1 does not overtake
  world.commit();
  ASSERT_EQ(app.received.size(), 2u);
  const std::uint16_t packet_id = app.received[0].packet_id;
  EXPECT_NE(packet_id, 1);
  app.received.clear();
  world.crash(0);
  world.commits_by_itself = true;
  durable(world, "app");
  ASSERT_FALSE(app.received.empty());
  EXPECT_EQ(app.received[0].packet_id, packet_id);
  EXPECT_TRUE(app.received[0].dup);
}

TEST(BrokerQos2, WhatTheClientHasReceivedGetsItsPubrelAndNoPublishAfterARestart) {
  World world;
  Client& app = durable(world, "app");
  world.subscribe(app, "a", kQos2);
  Client& camera = world.connect("camera");
  world.commits_by_itself = false;
  world.publish(camera, "a", "x", kQos2, 1);
  world.commit();  // x leaves, its PUBREC comes
  EXPECT_THAT(app.taken, ElementsAre("x"));
  EXPECT_THAT(app.pubrels, IsEmpty());  // not before the PUBREC is on disk
  world.crash(world.uncommitted());
  world.commits_by_itself = true;
  app.received.clear();
  durable(world, "app");
  EXPECT_THAT(app.received, IsEmpty());
  EXPECT_EQ(app.pubrels.size(), 1u);
  EXPECT_THAT(world.storage.queue["app"], IsEmpty());
}

TEST(BrokerQos2, NewMessagesDoNotUseAPacketIdOfBeforeTheRestart) {
  World world;
  Client& app = durable(world, "app");
  world.subscribe(app, "a", kQos2);
  app.acks = false;
  Client& camera = world.connect("camera");
  for (std::uint16_t i = 1; i <= 10; ++i) world.publish(camera, "a", std::to_string(i), kQos2, i);
  world.crash(0);
  app.received.clear();
  durable(world, "app");
  world.connect("camera");
  for (std::uint16_t i = 1; i <= 10; ++i) world.publish(camera, "a", "new", Qos::AtLeastOnce, i);
  std::set<std::uint16_t> ids;
  for (const Received& one : app.received) ids.insert(one.packet_id);
  EXPECT_EQ(app.received.size(), 20u);
  EXPECT_EQ(ids.size(), 20u);
}

TEST(BrokerQos2, IdsWithoutPubrelAreBounded) {
  Limits limits;
  limits.receive_maximum = 5;
  for (const Version version : {Version::V311, Version::V5}) {
    World world(1, limits);
    Client& camera = durable(world, "camera", version);
    EXPECT_EQ(camera.receive_maximum, version == Version::V5 ? 5 : 0);
    camera.answers_pubrec = false;
    for (std::uint16_t i = 1; i <= 5; ++i) world.publish(camera, "a", "x", kQos2, i);
    EXPECT_TRUE(camera.is_connected);
    pubrel(world, camera, 3);
    world.publish(camera, "a", "x", kQos2, 6);
    EXPECT_TRUE(camera.is_connected);
    world.publish(camera, "a", "x", kQos2, 7);
    EXPECT_FALSE(camera.is_connected);
    if (version == Version::V5) {
      EXPECT_EQ(camera.disconnect_reason, ReasonCode::ReceiveMaximumExceeded);
    }
    durable(world, "camera", version);
    world.publish(camera, "a", "x", kQos2, 8);
    EXPECT_FALSE(camera.is_connected) << "another connection does not help";
  }
}

/// A camera that keeps QoS 2 as a sender must: what has no PUBREC is published again with DUP, what has no
/// PUBCOMP gets its PUBREL again.
class Sender {
 public:
  Sender(World& world, std::string id) : world_(world), id_(std::move(id)) {}

  Client& client() { return world_.client(id_); }
  void connect() {
    look();
    durable(world_, id_);
    std::map<int, std::uint16_t> in_order;
    for (const auto& [packet_id, number] : open_) in_order[number] = packet_id;
    for (const auto& [number, packet_id] : in_order) {
      if (received_.contains(packet_id)) {
        pubrel(world_, client(), packet_id);
      } else {
        world_.publish(client(), "a", std::to_string(number), kQos2, packet_id, false, true);
      }
    }
  }
  bool may_publish() const { return open_.size() < 6; }
  void publish() {
    std::uint16_t packet_id = 1;  // used again as soon as it may be
    while (open_.contains(packet_id)) ++packet_id;
    open_[packet_id] = count_++;
    world_.publish(client(), "a", std::to_string(open_[packet_id]), kQos2, packet_id);
  }
  void look() {
    for (const auto& [packet_id, reason] : std::exchange(client().pubacks, {})) received_.insert(packet_id);
    for (const std::uint16_t packet_id : std::exchange(client().pubcomps, {})) {
      open_.erase(packet_id);
      received_.erase(packet_id);
    }
  }
  bool is_done() const { return open_.empty(); }
  int count() const { return count_; }

 private:
  World& world_;
  std::string id_;
  int count_ = 0;
  std::map<std::uint16_t, int> open_;  // packet id, number of the message
  std::set<std::uint16_t> received_;
};

class BrokerQos2Schedule : public testing::TestWithParam<unsigned> {
 protected:
  std::mt19937 dice{GetParam()};
  bool hits(unsigned percent) { return dice() % 100 < percent; }
};

TEST_P(BrokerQos2Schedule, EveryMessageIsTakenOnceAndInOrder) {
  const unsigned shards = GetParam() % 3 + 1;
  Limits limits;
  limits.max_inflight = 4;
  World world(shards, limits);
  Sender sender(world, "camera");
  std::vector<std::string> apps;
  for (int i = 0; i < 3; ++i) apps.push_back("app" + std::to_string(i));
  for (const std::string& id : apps) world.subscribe(durable(world, id), "a", kQos2);
  sender.connect();
  world.commits_by_itself = false;
  const auto reconnect_all = [&] {
    const auto hear_again = [&](Client& deaf) {
      if (std::exchange(deaf.is_raw, false)) world.drop(deaf);
    };
    for (const std::string& id : apps) {
      hear_again(world.client(id));
      if (!world.client(id).is_connected) durable(world, id);
    }
    hear_again(sender.client());
    if (!sender.client().is_connected) sender.connect();
  };
  for (int step = 0; step < 150; ++step) {
    sender.look();
    Client& app = world.client(apps[dice() % apps.size()]);
    if (hits(40) && sender.client().is_connected && sender.may_publish()) sender.publish();
    if (hits(50)) world.commit(dice() % 3 + 1);
    if (hits(20)) world.advance(3ms);
    if (hits(5)) app.is_raw = true;  // from here on what it is sent is lost
    if (hits(3)) sender.client().is_raw = true;
    if (hits(8)) world.drop(app);
    if (hits(5)) world.drop(sender.client());
    if (hits(6)) world.crash(dice() % (world.uncommitted() + 1));
    if (hits(30)) reconnect_all();
  }
  world.commits_by_itself = true;
  for (int i = 0; i < 5; ++i) {  // who was deaf comes again
    for (const std::string& id : apps) world.drop(world.client(id));
    world.drop(sender.client());
    reconnect_all();
    world.advance(10ms);
    sender.look();
  }
  EXPECT_TRUE(sender.is_done());
  std::vector<std::string> all;
  for (int i = 0; i < sender.count(); ++i) all.push_back(std::to_string(i));
  for (const std::string& id : apps) EXPECT_EQ(world.client(id).taken, all) << id;
  for (const std::string& id : apps) EXPECT_THAT(world.storage.queue[id], IsEmpty());
  EXPECT_THAT(world.storage.receipts, IsEmpty());
  EXPECT_THAT(world.storage.provisional, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, BrokerQos2Schedule, testing::Range(1u, 200u));

}  // namespace
}  // namespace wake::test
