// What other brokers fell over, tried on the machine of a shard. The names are those of
// tests/conformance/faults.json.
#include <random>

#include <gmock/gmock.h>

#include "tests/support/simulated_world.hpp"

namespace wake::test {
namespace {

using testing::ElementsAre;

std::vector<std::byte> raw(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

Client& open(World& world, const std::string& id, Version version = Version::V311) {
  Client& client = world.client(id);
  world.open(client, version, 0);
  return client;
}

std::uint64_t total(World& world, std::uint64_t Counters::*counter) {
  std::uint64_t sum = 0;
  for (unsigned k = 0; k < world.shard_count(); ++k) sum += world.shard(k).counters().*counter;
  return sum;
}

TEST(BrokerFaults, ADeclaredLengthIsRefusedBeforeMemoryIsTakenForIt) {
  World world;
  Client& stranger = open(world, "stranger");
  world.send_bytes(stranger, raw({0x10, 0xFF, 0xFF, 0xFF, 0x7F}));  // CONNECT of 256 MiB
  EXPECT_FALSE(stranger.is_connected);
  Client& known = world.connect("known");
  world.send_bytes(known, raw({0x30, 0x81, 0x80, 0x40}));  // PUBLISH of 1 MiB and 1 byte, header included
  EXPECT_FALSE(known.is_connected);
}

TEST(BrokerFaults, MalformedPacketsLeaveNothingBehind) {
  World world;
  const std::vector<std::vector<std::byte>> malformed = {
      raw({0x10, 0x02, 0x00, 0x09}),  // CONNECT, cut in the protocol name
      raw({0x10, 0x0C, 0, 4, 'M', 'Q', 'T', 'T', 5, 0x06, 0, 0, 5,
           0x11}),  // properties longer than the packet
      raw({0x10, 0x10, 0, 4, 'M', 'Q', 'T', 'T', 5, 0x06, 0, 0, 0, 0, 1, 'x', 2,
           0x18}),  // will properties cut
  };
  for (int round = 0; round < 300; ++round) {
    Client& client = open(world, "bad", Version::V5);
    world.send_bytes(client, malformed[static_cast<std::size_t>(round) % malformed.size()]);
    EXPECT_FALSE(client.is_connected);
    Client& subscriber = world.connect("subscriber", {.version = Version::V5});
    world.send_bytes(subscriber, raw({0x82, 0x07, 0, 1, 3, 0x26, 0, 9, 'x'}));
    EXPECT_EQ(subscriber.disconnect_reason, ReasonCode::MalformedPacket);
  }
  EXPECT_EQ(total(world, &Counters::connections), 0u);
  EXPECT_EQ(total(world, &Counters::sessions), 0u);
  EXPECT_EQ(total(world, &Counters::subscriptions), 0u);
}

TEST(BrokerFaults, AClientThatIsNotToldWhyIsNamedToTheOperator) {
  for (const Version version : {Version::V311, Version::V5}) {
    World world;
    Client& client = world.connect("client", {.version = version});
    world.send_bytes(client, raw({0x36, 0x05, 0, 1, 'x', 0, 1}));  // PUBLISH with QoS 3
    EXPECT_FALSE(client.is_connected);
    EXPECT_EQ(client.disconnect_reason.has_value(), version == Version::V5);
    EXPECT_THAT(world.incidents, testing::Contains("client.faulty").Times(1));
  }
  World world;
  world.disconnect(world.connect("client"));
  EXPECT_THAT(world.incidents, testing::Not(testing::Contains("client.faulty")));
}

TEST(BrokerFaults, ThousandsOfUserPropertiesAreRefused) {
  World world;
  Client& client = world.connect("client", {.version = Version::V5});
  Publish publish{.topic = "t", .packet_id = {}, .properties = {}, .payload = {}};
  publish.properties.user_properties.assign(kMaxUserProperties, {"k", "v"});
  world.send(client, publish);
  EXPECT_TRUE(client.is_connected);
  publish.properties.user_properties.emplace_back("one", "more");
  world.send(client, publish);
  EXPECT_EQ(client.disconnect_reason, ReasonCode::QuotaExceeded);
}

TEST(BrokerFaults, TopicsOfThousandsOfLevelsAreRefused) {
  World world;
  Client& client = world.connect("client", {.version = Version::V5});
  const std::string deepest(world.limits.max_topic_levels - 1, '/');
  world.subscribe(client, deepest, Qos::AtLeastOnce);
  EXPECT_THAT(client.subacks, ElementsAre(ReasonCode::GrantedQos1));
  world.subscribe(client, deepest + '/', Qos::AtLeastOnce);
  EXPECT_THAT(client.subacks, ElementsAre(ReasonCode::TopicFilterInvalid));
  world.publish(client, deepest, "x", Qos::AtMostOnce);
  EXPECT_THAT(client.payloads(), ElementsAre("x"));
  world.publish(client, std::string(60'000, '/'), "x", Qos::AtMostOnce);
  EXPECT_EQ(client.disconnect_reason, ReasonCode::TopicNameInvalid);
}

TEST(BrokerFaults, ALengthOfFiveBytesEndsTheConnectionWithItsStream) {
  World world;
  Client& reader = world.connect("reader");
  world.subscribe(reader, "#", Qos::AtMostOnce);
  Client& client = world.connect("client");
  // Behind the bad length: a PUBLISH that would be one if the stream were read on.
  world.send_bytes(client, raw({0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x30, 0x03, 0, 1, 't'}));
  EXPECT_FALSE(client.is_connected);
  EXPECT_TRUE(reader.received.empty());
}

TEST(BrokerFaults, WhatOnlyServersSendEndsTheConnection) {
  const std::vector<std::vector<std::byte>> packets = {raw({0x20, 2, 0, 0}), raw({0x90, 4, 0, 1, 0, 0}),
                                                       raw({0xB0, 4, 0, 1, 0, 0}), raw({0xD0, 0})};
  for (const auto& packet : packets) {
    World world;
    Client& client = world.connect("client", {.version = Version::V5});
    world.send_bytes(client, packet);
    EXPECT_EQ(client.disconnect_reason, ReasonCode::ProtocolError);
    Client& stranger = open(world, "stranger");
    world.send_bytes(stranger, packet);
    EXPECT_FALSE(stranger.is_connected);
  }
}

TEST(BrokerFaults, NobodyMayPublishToSysAndNoWildcardReachesIt) {
  World world;
  Client& client = world.connect("client", {.version = Version::V5});
  world.subscribe(client, "#", Qos::AtLeastOnce);
  world.publish(client, "$SYS/broker/uptime", "forged", Qos::AtLeastOnce);
  EXPECT_THAT(client.pubacks,
              ElementsAre(std::pair<std::uint16_t, ReasonCode>{1, ReasonCode::NotAuthorized}));
  world.publish(client, "$share/group/a", "x", Qos::AtLeastOnce, 2);
  EXPECT_EQ(client.pubacks.back().second, ReasonCode::NotAuthorized);
  world.publish(client, "$other", "x", Qos::AtMostOnce);
  EXPECT_TRUE(client.received.empty());
  world.publish(client, "", "x", Qos::AtMostOnce);
  EXPECT_FALSE(client.is_connected);
}

/// Takeovers, drops, subscriptions and publishes of eight clients in any order, on two shards.
TEST(BrokerFaults, TakeoversAndSubscriptionChurnLeaveNothingBehind) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    World world(2);
    std::mt19937 random(seed);
    const auto id = [&] { return "c" + std::to_string(random() % 8); };
    for (int step = 0; step < 300; ++step) {
      const std::string who = id();
      Client& client = world.client(who);
      const unsigned what = random() % 6;
      if (what == 0 || !client.is_connected) {
        world.connect(
            who, {.clean = random() % 2 == 0, .version = Version::V5, .accepted_by = unsigned(random())});
      } else if (what == 1) {
        world.drop(client);
      } else if (what == 2) {
        world.subscribe(client, "t/" + std::to_string(random() % 4), Qos::AtLeastOnce);
      } else if (what == 3) {
        Unsubscribe unsubscribe{.packet_id = {5}, .filters = {"t/1"}, .user_properties = {}};
        world.send(client, unsubscribe);
      } else {
        world.publish(client, "t/" + std::to_string(random() % 4), "x", Qos::AtLeastOnce);
      }
    }
    for (int i = 0; i < 8; ++i) world.drop(world.client("c" + std::to_string(i)));
    EXPECT_EQ(total(world, &Counters::connections), 0u) << seed;
    EXPECT_EQ(total(world, &Counters::sessions), 0u) << seed;
    EXPECT_EQ(total(world, &Counters::subscriptions), 0u) << seed;
    EXPECT_EQ(total(world, &Counters::unsettled), 0u) << seed;
  }
}

TEST(BrokerFaults, HalfAConnectThatTricklesInIsClosedInTime) {
  World world;
  Client& slow = open(world, "slow");
  const auto connect = raw({0x10, 0x0D, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 1, 's'});
  for (std::size_t i = 0; i + 1 < connect.size(); ++i) {
    world.send_bytes(slow, {connect[i]});
    world.advance(world.limits.connect_timeout / 10);
  }
  EXPECT_FALSE(slow.is_connected);
}

TEST(BrokerFaults, AnEndlessKeepAliveIsCappedWhereTheOperatorSaysSo) {
  Limits limits;
  limits.max_keep_alive = std::chrono::seconds(60);
  World world(1, limits);
  Client& idle = world.connect("idle", {.keep_alive_s = 65535});
  Client& none = world.connect("none", {.keep_alive_s = 0});
  world.advance(89s);
  EXPECT_TRUE(idle.is_connected && none.is_connected);
  world.advance(2s);
  EXPECT_FALSE(idle.is_connected || none.is_connected);
}

TEST(BrokerFaults, TheLateEndOfATakenOverSocketHarmsNobody) {
  World world;
  Broker broker(world.limits, world.delivery, {});
  const auto connect = raw({0x10, 0x0D, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 1, 'x'});
  const auto join = [&] {
    const ConnectionId id = broker.accept({}, world.now);
    broker.on_bytes(id, connect, world.now);
    AuthOutcome outcome{.kind = AuthOutcome::Kind::Allowed, .principal = {}, .grants = {}};
    outcome.grants.is_superuser = true;
    broker.on_authenticated(id, outcome, world.now);
    return id;
  };
  const ConnectionId old = join();
  const ConnectionId young = join();
  EXPECT_TRUE(broker.is_connected({"x"}));
  broker.on_closed(old, world.now);  // the shell tells only now that the old socket is gone
  broker.on_closed(old, world.now);
  EXPECT_TRUE(broker.is_connected({"x"}));
  EXPECT_EQ(broker.counters().connections, 1u);
  broker.on_closed(young, world.now);
  EXPECT_FALSE(broker.is_connected({"x"}));
}

TEST(BrokerFaults, TheWillOfATakenOverConnectionIsNotSkipped) {
  for (const unsigned shards : {1u, 2u}) {
    World world(shards);
    Client& reader = world.connect("reader");
    world.subscribe(reader, "will", Qos::AtLeastOnce);
    Will will;
    will.topic = "will";
    will.payload = as_bytes("gone");
    will.qos = Qos::AtLeastOnce;
    for (int round = 0; round < 3; ++round) world.connect("app", {.will = will});
    EXPECT_THAT(reader.payloads(), ElementsAre("gone", "gone"));
  }
}

TEST(BrokerFaults, ForgottenSessionsEnd) {
  World world;
  for (int i = 0; i < 1000; ++i)
    world.drop(
        world.connect("c" + std::to_string(i), {.clean = false, .version = Version::V5, .expiry_s = 60}));
  EXPECT_EQ(total(world, &Counters::sessions), 1000u);
  world.advance(61s);
  EXPECT_EQ(total(world, &Counters::sessions), 0u);
  EXPECT_TRUE(world.storage.sessions.empty());
}

TEST(BrokerFaults, AClientThatNeverReadsIsBoundedAndDelaysNobody) {
  Limits limits;
  limits.max_queued_bytes = 100'000;
  World world(1, limits);
  Client& slow = world.connect("slow");
  Client& quick = world.connect("quick");
  world.subscribe(slow, "t", Qos::AtMostOnce);
  world.subscribe(quick, "t", Qos::AtMostOnce);
  slow.is_reading = false;
  Client& camera = world.connect("camera");
  const std::string picture(10'000, 'x');
  for (int i = 0; i < 100; ++i) world.publish(camera, "t", picture, Qos::AtMostOnce);
  EXPECT_EQ(quick.received.size(), 100u);
  EXPECT_LE(world.output_bytes(slow), limits.max_queued_bytes);
  EXPECT_GE(total(world, &Counters::publishes_dropped), 90u);
}

TEST(BrokerFaults, SubscriptionsOfOneClientAreBounded) {
  Limits limits;
  limits.max_subscriptions = 3;
  World world(1, limits);
  Client& client = world.connect("greedy", {.version = Version::V5});
  for (const char* filter : {"a", "b", "c"}) {
    world.subscribe(client, filter, Qos::AtMostOnce);
    EXPECT_THAT(client.subacks, ElementsAre(ReasonCode::GrantedQos0));
  }
  world.subscribe(client, "d", Qos::AtMostOnce);
  EXPECT_THAT(client.subacks, ElementsAre(ReasonCode::QuotaExceeded));
  world.subscribe(client, "a", Qos::AtLeastOnce);  // replacing is not adding
  EXPECT_THAT(client.subacks, ElementsAre(ReasonCode::GrantedQos1));
}

}  // namespace
}  // namespace wake::test
