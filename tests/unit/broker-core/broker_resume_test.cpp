// A session that comes back: what is sent again, in which order and how much of it at once; and what a client
// asked for at CONNECT.
#include <map>
#include <set>
#include <utility>

#include <gmock/gmock.h>

#include "tests/support/simulated_world.hpp"

namespace wake::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

World::ConnectOptions durable(std::optional<std::uint16_t> receive_maximum = {},
                              std::optional<std::uint32_t> max_packet_bytes = {}) {
  World::ConnectOptions options{.clean = false, .version = Version::V5, .expiry_s = 3600};
  options.properties.receive_maximum = receive_maximum;
  options.properties.maximum_packet_bytes = max_packet_bytes;
  return options;
}

TEST(BrokerResume, AFewerReceiveMaximumHoldsForWhatIsSentAgainToo) {
  World world;
  Client& app = world.connect("app", durable(10));
  app.acks = false;
  world.subscribe(app, "a", Qos::AtLeastOnce);
  Client& camera = world.connect("camera");
  for (std::uint16_t i = 1; i <= 12; ++i) world.publish(camera, "a", std::to_string(i), Qos::AtLeastOnce, i);
  EXPECT_EQ(app.received.size(), 10u);
  world.drop(app);
  app.received.clear();
  world.connect("app", durable(2));
  EXPECT_THAT(app.payloads(), ElementsAre("1", "2"));
  EXPECT_TRUE(app.received[0].dup);
  app.acks = true;
  world.ack(app, app.received[0].packet_id);
  world.ack(app, app.received[1].packet_id);
  EXPECT_THAT(app.payloads(), ElementsAre("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"));
  EXPECT_TRUE(app.received[9].dup);
  EXPECT_FALSE(app.received[10].dup);
  EXPECT_THAT(world.storage.queue["app"], IsEmpty());
}

TEST(BrokerResume, ReconnectingInALoopDrainsCompletelyEachTime) {
  World world;
  Client& app = world.connect("app", durable(3));
  world.subscribe(app, "a", Qos::ExactlyOnce);
  world.drop(app);
  Client& camera = world.connect("camera");
  std::uint16_t packet_id = 0;
  for (int loop = 0; loop < 20; ++loop) {
    std::vector<std::string> sent;
    for (int i = 0; i < 25; ++i) {
      sent.push_back(std::to_string(packet_id));
      world.publish(camera, "a", sent.back(), i % 2 ? Qos::AtLeastOnce : Qos::ExactlyOnce, ++packet_id);
    }
    app.received.clear();
    app.acks = false;  // first it takes some and goes without a word
    world.connect("app", durable(3));
    EXPECT_EQ(app.received.size(), 3u);
    world.drop(app);
    app.received.clear();
    app.acks = true;
    world.connect("app", durable(3));
    EXPECT_EQ(app.payloads(), sent);
    world.drop(app);
  }
  EXPECT_THAT(world.storage.queue["app"], IsEmpty());
}

TEST(BrokerResume, WithAnExpiryOfZeroTheRestComesAndWhatIsNewBehindIt) {
  World world;
  world.subscribe(world.connect("app", durable()), "a", Qos::AtLeastOnce);
  world.drop(world.client("app"));
  Client& camera = world.connect("camera");
  std::vector<std::string> sent;
  const auto publish = [&](int count) {
    for (int i = 0; i < count; ++i) {
      sent.push_back(std::to_string(sent.size()));
      world.publish(camera, "a", sent.back(), Qos::AtLeastOnce, 1);
    }
  };
  publish(500);
  World::ConnectOptions last = durable(10);
  last.expiry_s = 0;
  Client& app = world.client("app");
  app.acks = false;
  world.connect("app", last);
  EXPECT_EQ(world.storage.sessions["app"].expiry_s, 0u) << "a kill ends it, too";
  publish(5);
  app.acks = true;
  const auto on_their_way = app.received;
  for (const auto& message : on_their_way) world.ack(app, message.packet_id);
  EXPECT_EQ(app.payloads(), sent);
  world.drop(app);
  EXPECT_THAT(world.storage.queue["app"], IsEmpty());
}

TEST(BrokerResume, AClientThatNeverAcknowledgesOneMessageRunsOutOfPacketIdsNotWeOfMemory) {
  Limits limits;
  limits.max_queued_messages = 100'000;
  World world(1, limits);
  Client& app = world.connect("app");
  world.subscribe(app, "a", Qos::AtLeastOnce);
  app.acks = false;
  Client& camera = world.connect("camera");
  world.publish(camera, "a", "first", Qos::AtLeastOnce, 1);
  app.acks = true;
  std::set<std::uint16_t> ids{app.received[0].packet_id};
  for (int i = 0; i < 70'000; ++i) world.publish(camera, "a", "x", Qos::AtLeastOnce, 2);
  EXPECT_EQ(app.received.size(), 65'535u);
  for (std::size_t i = 1; i < app.received.size(); ++i) ids.insert(app.received[i].packet_id);
  EXPECT_EQ(ids.size(), 65'535u) << "no id twice while the first is in use";
  world.ack(app, app.received[0].packet_id);
  EXPECT_EQ(app.received.size(), 70'001u);
}

TEST(BrokerResume, APacketTooLargeForTheClientIsLeftOutAndTheNextOneComes) {
  World world;
  Client& app = world.connect("app", durable({}, 100));
  world.subscribe(app, "a", Qos::AtLeastOnce);
  Client& camera = world.connect("camera");
  world.publish(camera, "a", std::string(200, 'x'), Qos::AtLeastOnce, 1);
  world.publish(camera, "a", std::string(200, 'x'), Qos::AtMostOnce);
  world.publish(camera, "a", "small", Qos::AtLeastOnce, 2);
  EXPECT_THAT(app.payloads(), ElementsAre("small"));
  EXPECT_THAT(world.storage.queue["app"], IsEmpty());
}

TEST(BrokerResume, ExpiryIsCountedDownForWhatWaitedInStorage) {
  World world;
  world.subscribe(world.connect("app", durable()), "a", Qos::AtLeastOnce);
  world.drop(world.client("app"));
  Client& camera = world.connect("camera", {.version = Version::V5});
  for (const std::uint16_t seconds : {10, 100}) {
    Publish packet{.qos = Qos::AtLeastOnce,
                   .topic = "a",
                   .packet_id = {seconds},
                   .properties = {},
                   .payload = as_bytes("x")};
    packet.properties.message_expiry_s = seconds;
    world.send(camera, packet);
  }
  world.crash(0);
  world.advance(30s);
  Client& app = world.connect("app", durable());
  ASSERT_EQ(app.received.size(), 1u);
  EXPECT_LE(app.received[0].expiry_s, 70u);
  EXPECT_GE(app.received[0].expiry_s, 69u);
}

TEST(BrokerResume, ADelayedWillLeavesAtOnceWhenTheSessionEndsWithItsConnection) {
  World world;
  Client& app = world.connect("app");
  world.subscribe(app, "will", Qos::AtMostOnce);
  const Will will{.qos = Qos::AtMostOnce,
                  .retain = false,
                  .topic = "will",
                  .payload = as_bytes("gone"),
                  .properties = {},
                  .delay_s = 3600};
  world.connect("short", {.version = Version::V5, .will = will});
  world.drop(world.client("short"));
  EXPECT_THAT(app.payloads(), ElementsAre("gone"));
  world.connect("ends", {.version = Version::V5, .expiry_s = 5, .will = will});
  world.drop(world.client("ends"));
  world.advance(4s);
  EXPECT_EQ(app.received.size(), 1u);
  world.advance(2s);  // the session ends long before the delay
  EXPECT_EQ(app.received.size(), 2u);
}

TEST(BrokerResume, TheServersKeepAliveIsToldAndHolds) {
  Limits limits;
  limits.max_keep_alive = std::chrono::seconds(10);
  World world(1, limits);
  Client& app = world.connect("app", {.version = Version::V5, .keep_alive_s = 600});
  EXPECT_EQ(app.server_keep_alive_s, 10);
  world.connect("never", {.keep_alive_s = 0});
  world.advance(14s);
  EXPECT_TRUE(app.is_connected && world.client("never").is_connected);
  world.advance(2s);
  EXPECT_FALSE(app.is_connected || world.client("never").is_connected);
}

TEST(BrokerResume, WhatMayHaveBeenSentBeforeARestartCarriesDupAndNothingElse) {
  World world;
  const World::ConnectOptions options{.clean = false, .version = Version::V5, .expiry_s = 3600};
  Client& app = world.connect("app", options);
  world.subscribe(app, "a", Qos::AtLeastOnce);
  app.acks = false;
  Client& camera = world.connect("camera");
  world.publish(camera, "a", "sent", Qos::AtLeastOnce, 1);
  world.advance(1s);
  world.drop(app);
  world.advance(1s);
  world.publish(camera, "a", "waits", Qos::AtLeastOnce, 2);
  app.received.clear();
  world.crash(0);
  world.connect("app", options);
  world.publish(world.connect("camera"), "a", "new", Qos::AtLeastOnce, 3);
  ASSERT_THAT(app.payloads(), testing::ElementsAre("sent", "waits", "new"));
  EXPECT_TRUE(app.received[0].dup);
  EXPECT_FALSE(app.received[1].dup);
  EXPECT_FALSE(app.received[2].dup);
}

/// A client that keeps what it has not acknowledged, by packet id, over everything.
class Holder {
 public:
  explicit Holder(Client& client) : client_(client) { client_.acks = false; }
  /// What came, in order; an id that it holds must bring the message that it holds under it.
  void take() {
    for (const Received& one : std::exchange(client_.received, {})) {
      const auto [held, is_new] = held_.emplace(one.packet_id, one.payload);
      EXPECT_EQ(held->second, one.payload) << "under packet id " << one.packet_id;
      EXPECT_TRUE(is_new || one.dup) << one.payload;
      seen_.insert(one.payload);
    }
  }
  void acknowledge_every(std::size_t nth, World& world) {
    std::vector<std::uint16_t> ids;
    for (const auto& [id, payload] : held_) ids.push_back(id);
    for (std::size_t i = 0; i < ids.size(); i += nth) {
      world.ack(client_, ids[i]);
      held_.erase(ids[i]);
    }
  }
  std::size_t held() const { return held_.size(); }
  std::size_t seen() const { return seen_.size(); }

 private:
  Client& client_;
  std::map<std::uint16_t, std::string> held_;
  std::set<std::string> seen_;
};

TEST(BrokerResume, PacketIdsAtQos1AreTheSameAfterEveryKill) {
  World world(1, {.max_inflight = 2000});
  Client& app = world.connect("app", durable());
  world.subscribe(app, "a", Qos::AtLeastOnce);
  Holder holder(app);
  int count = 0;
  const auto publish = [&](int messages) {
    for (; messages > 0; --messages)
      world.publish(world.client("camera"), "a", std::to_string(count++), Qos::AtLeastOnce, 1);
  };
  for (int round = 0; round < 20; ++round) {
    world.connect("camera");
    world.drop(app);
    publish(400);  // stored, then sent
    world.connect("app", durable());
    holder.take();
    publish(100);  // sent, then stored
    world.advance(1s);
    holder.take();
    holder.acknowledge_every(2, world);
    const std::size_t held = holder.held();
    world.crash(1'000'000);
    world.connect("app", durable());
    EXPECT_EQ(app.received.size(), held);
    holder.take();
    EXPECT_EQ(holder.held(), held) << "the same ones";
  }
  EXPECT_EQ(holder.seen(), static_cast<std::size_t>(count));
}

TEST(BrokerResume, NothingIsWrittenDownToSendWhatIsStored) {
  World world;
  world.subscribe(world.connect("app", durable()), "a", Qos::AtLeastOnce);
  world.drop(world.client("app"));
  Client& camera = world.connect("camera");
  for (std::uint16_t i = 1; i <= 50; ++i) world.publish(camera, "a", "x", Qos::AtLeastOnce, i);
  Client& app = world.client("app");
  app.acks = false;
  world.connect("app", durable());
  EXPECT_EQ(app.received.size(), 50u);
  EXPECT_THAT(world.storage.started, IsEmpty());
}

TEST(BrokerResume, AKillUnderAConnectedSessionLeavesNoDoubtBeyondItsWindow) {
  World world(1, {.max_inflight = 2});
  const World::ConnectOptions options{.clean = false, .version = Version::V5, .expiry_s = 3600};
  Client& app = world.connect("app", options);
  world.subscribe(app, "a", Qos::AtLeastOnce);
  app.acks = false;
  Client& camera = world.connect("camera");
  for (std::uint16_t i = 1; i <= 4; ++i) world.publish(camera, "a", "x", Qos::AtLeastOnce, i);
  world.advance(1s);
  EXPECT_EQ(app.received.size(), 2u);
  app.received.clear();
  app.acks = true;
  world.crash(0);
  world.connect("app", options);
  ASSERT_EQ(app.received.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(app.received[i].dup, i < 2) << i;
}

}  // namespace
}  // namespace wake::test
