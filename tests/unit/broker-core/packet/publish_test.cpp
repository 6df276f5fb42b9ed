#include "broker-core/packet/publish.hpp"

#include "wire.hpp"

namespace wake::broker {
namespace {

const WireBytes kV311 = wire(
    "3D"          // PUBLISH: dup, QoS 2, retain
    "09"          // remaining length
    "0003 'a/b'"  // topic
    "000A"        // packet id
    "'hi'");      // payload

TEST(PublishParse, ReadsFlagsTopicIdAndPayload) {
  const auto publish = parsed<Publish>(kV311, Version::V311);
  EXPECT_TRUE(publish.dup);
  EXPECT_EQ(publish.qos, Qos::ExactlyOnce);
  EXPECT_TRUE(publish.retain);
  EXPECT_EQ(publish.topic, "a/b");
  EXPECT_EQ(publish.packet_id, PacketId{10});
  EXPECT_EQ(as_text(publish.payload), "hi");
  expect_sound<Publish>(kV311, Version::V311, {7, 8});  // a shorter payload is a payload
  expect_sound<Publish>(kV311, Version::V31, {7, 8});
}

TEST(PublishParse, ViewsPointIntoTheInput) {
  const auto publish = parsed<Publish>(kV311, Version::V311);
  EXPECT_EQ(static_cast<const void*>(publish.topic.data()), &kV311[4]);
  EXPECT_EQ(publish.payload.data(), &kV311[9]);
}

TEST(PublishParse, ReadsPropertiesOfV5) {
  const WireBytes bytes = wire(
      "32"                    // PUBLISH, QoS 1
      "18"                    // remaining length
      "0003 'a/b'"            // topic
      "0102"                  // packet id
      "0E"                    // property length
      "02 0000000A"           // message expiry interval
      "01 01"                 // payload format indicator
      "26 0001 'k' 0001 'v'"  // user property
      "'hi'");                // payload
  const auto publish = parsed<Publish>(bytes);
  EXPECT_EQ(publish.packet_id, PacketId{0x0102});
  EXPECT_EQ(publish.properties.message_expiry_s, 10u);
  EXPECT_EQ(publish.properties.payload_format, true);
  EXPECT_EQ(publish.properties.user_properties, (std::vector<UserProperty>{{"k", "v"}}));
  EXPECT_EQ(as_text(publish.payload), "hi");
  expect_sound<Publish>(bytes, Version::V5, {22, 23});
}

TEST(PublishParse, AllocatesNothingWithoutLists) {
  const WireBytes bytes = wire("30 09 0003 'a/b' 02 01 01 'p'");
  const auto publish = parsed<Publish>(bytes);
  EXPECT_EQ(publish.properties.user_properties.capacity(), 0u);
  EXPECT_EQ(publish.properties.subscription_ids.capacity(), 0u);
}

TEST(PublishParse, PayloadMayBeEmpty) {
  expect_sound<Publish>(wire("31 03 0001 't'"), Version::V311);
  expect_sound<Publish>(wire("31 04 0001 't' 00"), Version::V5);
}

TEST(PublishParse, RefusesQos3) {
  CLAUSE("v5", "MQTT-3.3.1-4");
  EXPECT_EQ(refusal(wire("36 05 0001 't' 0001"), Version::V311), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("36 06 0001 't' 0001 00")), ReasonCode::MalformedPacket);
}

TEST(PublishParse, RefusesDupWithQos0) {
  CLAUSE("v5", "MQTT-3.3.1-2");
  EXPECT_EQ(refusal(wire("38 03 0001 't'"), Version::V311), ReasonCode::MalformedPacket);
}

TEST(PublishParse, RefusesPacketIdZero) {
  CLAUSE("v5", "MQTT-2.2.1-3");
  EXPECT_EQ(refusal(wire("32 05 0001 't' 0000"), Version::V311), ReasonCode::ProtocolError);
  EXPECT_EQ(refusal(wire("34 06 0001 't' 0000 00")), ReasonCode::ProtocolError);
}

TEST(PublishParse, NoTopicNeedsAnAlias) {  // v5 §3.3.2.1
  EXPECT_EQ(refusal(wire("30 03 0000 00")), ReasonCode::ProtocolError);
  EXPECT_EQ(refusal(wire("30 02 0000"), Version::V311), ReasonCode::MalformedPacket);
  const WireBytes aliased = wire("30 06 0000 03 23 0001");
  EXPECT_EQ(parsed<Publish>(aliased).properties.topic_alias, 1);
  expect_sound<Publish>(aliased);
}

TEST(PublishParse, RefusesATopicThatIsNoText) {
  CLAUSE("v5", "MQTT-3.3.2-1");
  EXPECT_EQ(refusal(wire("30 05 0003 EDA080"), Version::V311), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("30 04 0002 6100"), Version::V311), ReasonCode::MalformedPacket);
}

TEST(PublishParse, KeepsChineseAsItIs) {
  const WireBytes bytes = wire("30 0E 0006 E997A8E58FA3 E69C89E4BABA");
  const auto publish = parsed<Publish>(bytes, Version::V311);
  EXPECT_EQ(publish.topic, "门口");
  EXPECT_EQ(as_text(publish.payload), "有人");
}

}  // namespace
}  // namespace wake::broker
