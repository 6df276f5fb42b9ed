// What only 5.0 has, between one client and the broker: topic aliases, request and response information, and
// the reason of every close.
#include <gmock/gmock.h>

#include "tests/support/simulated_world.hpp"

namespace wake::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Properties with_aliases(std::uint16_t maximum) {
  Properties properties;
  properties.topic_alias_maximum = maximum;
  return properties;
}

Client& connect_v5(World& world, const std::string& id, const Properties& properties = {}) {
  return world.connect(id, {.version = Version::V5, .properties = properties});
}

void publish_alias(World& world, Client& client, const std::string& topic, std::uint16_t alias) {
  Publish packet{.topic = topic, .packet_id = {}, .properties = {}, .payload = as_bytes("x")};
  packet.properties.topic_alias = alias;
  world.send(client, packet);
}

TEST(TopicAlias, StandsForTheTopicItWasSentWith) {
  World world;
  Client& app = world.connect("app");
  world.subscribe(app, "#", Qos::AtMostOnce);
  Client& camera = connect_v5(world, "camera");
  EXPECT_EQ(camera.topic_alias_maximum, world.limits.max_topic_aliases);
  publish_alias(world, camera, "a/b", 1);
  publish_alias(world, camera, "", 1);
  publish_alias(world, camera, "c", 1);
  publish_alias(world, camera, "", 1);
  std::vector<std::string> topics;
  for (const Received& one : app.received) topics.push_back(one.topic);
  EXPECT_THAT(topics, ElementsAre("a/b", "a/b", "c", "c"));
}

TEST(TopicAlias, AboveTheMaximumIsRefused) {
  World world(1, Limits{.max_topic_aliases = 2});
  Client& camera = connect_v5(world, "camera");
  publish_alias(world, camera, "a", 2);
  EXPECT_TRUE(camera.is_connected);
  publish_alias(world, camera, "a", 3);
  EXPECT_EQ(camera.disconnect_reason, ReasonCode::TopicAliasInvalid);
}

TEST(TopicAlias, ZeroIsRefused) {
  World world;
  Client& camera = connect_v5(world, "camera");
  publish_alias(world, camera, "a", 0);
  EXPECT_EQ(camera.disconnect_reason, ReasonCode::TopicAliasInvalid);
}

TEST(TopicAlias, ThatWasNeverDefinedIsAProtocolErrorAndEndsWithItsConnection) {
  World world;
  Client& camera = connect_v5(world, "camera");
  publish_alias(world, camera, "a", 1);
  world.drop(camera);
  connect_v5(world, "camera");
  publish_alias(world, camera, "", 1);
  EXPECT_EQ(camera.disconnect_reason, ReasonCode::ProtocolError);
}

TEST(TopicAlias, GivesNoWayAroundPermission) {
  World world;
  auto user = std::make_shared<UserRecord>();
  user->id = {1};
  user->username = "ann";
  user->device_ids = {"CAM1"};
  world.apply_user(user);
  world.username_of["camera"] = "ann";
  Client& app = world.connect("app");
  world.subscribe(app, "#", Qos::AtMostOnce);
  Client& camera = connect_v5(world, "camera");
  publish_alias(world, camera, "x/CAM2", 1);
  publish_alias(world, camera, "", 1);
  EXPECT_THAT(app.received, IsEmpty());
  EXPECT_EQ(world.shard(0).counters().publishes_denied, 2u);
}

TEST(TopicAlias, TowardsAClientTheFirstPacketHasTopicAndAliasTheNextTheAliasAlone) {
  World world;
  Client& app = connect_v5(world, "app", with_aliases(1));
  world.subscribe(app, "#", Qos::AtLeastOnce);
  Client& camera = world.connect("camera");
  world.publish(camera, "a", "0", Qos::AtMostOnce);
  world.publish(camera, "a", "1", Qos::AtLeastOnce);
  world.publish(camera, "b", "2", Qos::AtMostOnce);
  world.publish(camera, "a", "3", Qos::AtMostOnce);
  std::vector<std::pair<std::string, int>> wire;
  for (const Received& one : app.received) wire.emplace_back(one.wire_topic, one.topic_alias);
  EXPECT_THAT(wire, ElementsAre(std::pair("a", 1), std::pair("", 1), std::pair("b", 0), std::pair("", 1)));
}

TEST(TopicAlias, TowardsAClientThatAskedForNoneThereIsNone) {
  World world;
  Client& app = connect_v5(world, "app");
  world.subscribe(app, "#", Qos::AtMostOnce);
  Client& camera = world.connect("camera");
  world.publish(camera, "a", "0", Qos::AtMostOnce);
  world.publish(camera, "a", "1", Qos::AtMostOnce);
  for (const Received& one : app.received) EXPECT_EQ(one.topic_alias, 0);
}

TEST(TopicAlias, WhatIsSentAgainAfterAReconnectCarriesItsTopicAnew) {
  World world;
  Client& app = world.connect(
      "app", {.clean = false, .version = Version::V5, .expiry_s = 1000, .properties = with_aliases(8)});
  world.subscribe(app, "#", Qos::AtLeastOnce);
  app.acks = false;
  Client& camera = world.connect("camera");
  world.publish(camera, "a", "0", Qos::AtLeastOnce, 1);
  world.publish(camera, "a", "1", Qos::AtLeastOnce, 2);
  world.drop(app);
  app.received.clear();
  world.connect("app", {.clean = false, .version = Version::V5, .expiry_s = 1000});
  ASSERT_EQ(app.received.size(), 2u);
  for (const Received& one : app.received) {
    EXPECT_EQ(one.wire_topic, "a");
    EXPECT_EQ(one.topic_alias, 0);
    EXPECT_TRUE(one.dup);
  }
}

TEST(TopicAlias, IsLeftOutWhereItWouldMakeThePacketTooLarge) {
  World world;
  Properties properties = with_aliases(8);
  properties.maximum_packet_bytes = 2 + 2 + 1 + 1 + 10;  // header, topic "a", no properties, ten bytes
  Client& app = connect_v5(world, "app", properties);
  world.subscribe(app, "a", Qos::AtMostOnce);
  Client& camera = world.connect("camera");
  world.publish(camera, "a", "0123456789", Qos::AtMostOnce);
  ASSERT_EQ(app.received.size(), 1u);
  EXPECT_EQ(app.received[0].topic_alias, 0);
}

TEST(ResponseInformation, IsAPrefixThatTheClientMayUseAndAbsentOtherwise) {
  World world;
  Properties asks;
  asks.request_response_information = true;
  EXPECT_EQ(connect_v5(world, "app", asks).response_information, "response/app");
  EXPECT_EQ(connect_v5(world, "quiet").response_information, "");
  auto user = std::make_shared<UserRecord>();
  user->id = {1};
  user->username = "ann";
  user->device_ids = {"CAM1"};
  world.apply_user(user);
  world.username_of["phone"] = "ann";
  EXPECT_EQ(connect_v5(world, "phone", asks).response_information, "");
}

TEST(ProblemInformation, IsGivenUnlessTheClientDeclinesIt) {
  World world;
  auto user = std::make_shared<UserRecord>();
  user->id = {1};
  user->username = "ann";
  world.apply_user(user);
  world.username_of["curious"] = world.username_of["calm"] = "ann";
  Client& curious = connect_v5(world, "curious");
  world.publish(curious, "t", "x", Qos::AtLeastOnce);
  EXPECT_EQ(curious.pubacks.at(0).second, ReasonCode::NotAuthorized);
  EXPECT_NE(curious.why, "");
  Properties declines;
  declines.request_problem_information = false;
  Client& calm = connect_v5(world, "calm", declines);
  world.publish(calm, "t", "x", Qos::AtLeastOnce);
  EXPECT_EQ(calm.pubacks.at(0).second, ReasonCode::NotAuthorized);
  EXPECT_EQ(calm.why, "");
}

TEST(ReasonString, IsLeftOutWhereThePacketWouldBeLargerThanTheClientTakes) {
  World world;
  Properties properties;
  properties.maximum_packet_bytes = 20;
  Client& app = connect_v5(world, "app", properties);
  world.home_of("app").kick({"app"}, world.now);
  world.settle();
  EXPECT_EQ(app.disconnect_reason, ReasonCode::AdministrativeAction);
  EXPECT_EQ(app.why, "");
}

TEST(MalformedConnect, OfAClientThatSays5IsAnsweredWithItsReason) {
  World world;
  Client& app = world.client("app");
  world.open(app, Version::V5, 0);
  std::vector<std::byte> bytes;
  Connect packet{.version = Version::V5,
                 .client_id = "app",
                 .will = {},
                 .username = {},
                 .password = {},
                 .properties = {}};
  write(packet, Version::V5, bytes);
  bytes[9] |= std::byte{0x01};  // the reserved flag: v5 [MQTT-3.1.2-3]
  world.send_bytes(app, bytes);
  ASSERT_TRUE(app.connack);
  EXPECT_EQ(app.connack->reason, ReasonCode::MalformedPacket);
  EXPECT_FALSE(app.is_connected);
}

TEST(MalformedConnect, OfA3xClientIsAnsweredByTheCloseAlone) {
  World world;
  Client& app = world.client("app");
  world.open(app, Version::V311, 0);
  std::vector<std::byte> bytes;
  Connect packet{.client_id = "app", .will = {}, .username = {}, .password = {}, .properties = {}};
  write(packet, Version::V311, bytes);
  bytes[9] |= std::byte{0x01};
  world.send_bytes(app, bytes);
  EXPECT_FALSE(app.connack);
  EXPECT_FALSE(app.is_connected);
}

TEST(LargePayload, IsSharedByItsReceiversAndReachesEachWhole) {
  World world;
  Client& quick = world.connect("quick", {.version = Version::V5});
  Client& slow = world.connect("slow", {.version = Version::V5});
  Client& slower = world.connect("slower");
  for (Client* reader : {&quick, &slow, &slower}) world.subscribe(*reader, "a", Qos::AtLeastOnce);
  slow.is_reading = slower.is_reading = false;
  const std::string payload(5'000, 'x');
  world.publish(world.connect("camera"), "a", payload, Qos::AtLeastOnce, 1);
  const auto last_piece = [&](const Client& reader) {
    Bytes pieces[8];
    const std::size_t count = world.output(reader).gather(pieces, 8);
    return count == 0 ? Bytes() : pieces[count - 1];
  };
  EXPECT_EQ(last_piece(slow).size(), payload.size());
  EXPECT_EQ(last_piece(slow).data(), last_piece(slower).data());
  slow.is_reading = slower.is_reading = true;
  world.send(slow, Pingreq{});
  world.send(slower, Pingreq{});
  for (const Client* reader : {&quick, &slow, &slower})
    EXPECT_EQ(reader->payloads(), std::vector{payload}) << reader->id;
}

}  // namespace
}  // namespace wake::test
