#include "broker-core/packet/subscribe.hpp"

#include "wire.hpp"

namespace wake::broker {
namespace {

TEST(SubscribeParse, ReadsFiltersAndQosInOrder) {
  const WireBytes bytes = wire(
      "82"          // SUBSCRIBE
      "0D"          // remaining length
      "000A"        // packet id
      "0003 'a/#'"  // filter
      "01"          // QoS 1
      "0002 '+x'"   // filter, bad: the machine's affair
      "02");        // QoS 2
  const auto subscribe = parsed<Subscribe>(bytes, Version::V311);
  EXPECT_EQ(subscribe.packet_id, PacketId{10});
  ASSERT_EQ(subscribe.requests.size(), 2u);
  EXPECT_EQ(subscribe.requests[0].filter, "a/#");
  EXPECT_EQ(subscribe.requests[0].qos, Qos::AtLeastOnce);
  EXPECT_EQ(subscribe.requests[1].filter, "+x");
  EXPECT_EQ(subscribe.requests[1].qos, Qos::ExactlyOnce);
  expect_sound<Subscribe>(bytes, Version::V311, {8});  // the first filter alone
  expect_sound<Subscribe>(bytes, Version::V31, {8});
}

TEST(SubscribeParse, ReadsOptionsAndPropertiesOfV5) {
  const WireBytes bytes = wire(
      "82"                    // SUBSCRIBE
      "10"                    // remaining length
      "0001"                  // packet id
      "09"                    // property length
      "0B 05"                 // subscription identifier
      "26 0001 'k' 0001 'v'"  // user property
      "0001 't'"              // filter
      "2E");                  // retain handling 2, as published, no local, QoS 2
  const auto subscribe = parsed<Subscribe>(bytes);
  EXPECT_EQ(subscribe.subscription_id, 5u);
  EXPECT_EQ(subscribe.user_properties.size(), 1u);
  ASSERT_EQ(subscribe.requests.size(), 1u);
  EXPECT_EQ(subscribe.requests[0].qos, Qos::ExactlyOnce);
  EXPECT_TRUE(subscribe.requests[0].no_local);
  EXPECT_TRUE(subscribe.requests[0].retain_as_published);
  EXPECT_EQ(subscribe.requests[0].retain_handling, 2);
  expect_sound<Subscribe>(bytes);
}

TEST(SubscribeParse, RefusesWrongFlags) {
  CLAUSE("v5", "MQTT-3.8.1-1");
  for (const char* header : {"80", "83", "8A", "86"}) {
    const WireBytes bytes = wire(std::string(header) + "06 0001 0001 't' 00");
    EXPECT_EQ(refusal(bytes, Version::V311), ReasonCode::MalformedPacket) << header;
  }
  EXPECT_EQ(refusal(wire("8A 06 0001 0001 't' 00"), Version::V31), ReasonCode::Success);  // v3.1 §3.8: dup
  EXPECT_EQ(refusal(wire("80 06 0001 0001 't' 00"), Version::V31), ReasonCode::MalformedPacket);
}

TEST(SubscribeParse, RefusesNoFilterAtAll) {
  CLAUSE("v5", "MQTT-3.8.3-2");
  EXPECT_EQ(refusal(wire("82 02 0001"), Version::V311), ReasonCode::ProtocolError);
  EXPECT_EQ(refusal(wire("82 03 0001 00")), ReasonCode::ProtocolError);
}

TEST(SubscribeParse, RefusesBadOptions) {
  CLAUSE("v5", "MQTT-3.8.3-5");
  EXPECT_EQ(refusal(wire("82 07 0001 00 0001 't' 40")), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("82 07 0001 00 0001 't' 80")), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("82 07 0001 00 0001 't' 03")), ReasonCode::ProtocolError);
  EXPECT_EQ(refusal(wire("82 07 0001 00 0001 't' 30")), ReasonCode::ProtocolError);
  EXPECT_EQ(refusal(wire("82 06 0001 0001 't' 03"), Version::V311), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("82 06 0001 0001 't' 04"), Version::V311), ReasonCode::MalformedPacket);
}

TEST(SubscribeParse, RefusesPacketIdZero) {
  CLAUSE("v5", "MQTT-2.2.1-3");
  EXPECT_EQ(refusal(wire("82 06 0000 0001 't' 00"), Version::V311), ReasonCode::ProtocolError);
}

ReasonCode verdict_of_filters(std::size_t count) {
  Subscribe subscribe;
  subscribe.packet_id = PacketId{1};
  subscribe.requests.assign(count, {"t", Qos::AtMostOnce, false, false, 0});
  WireBytes bytes;
  write(subscribe, Version::V311, bytes);
  return refusal(bytes, Version::V311);
}

TEST(SubscribeParse, HoldsFiltersUpToTheLimit) {
  EXPECT_EQ(verdict_of_filters(kMaxFiltersPerPacket - 1), ReasonCode::Success);
  EXPECT_EQ(verdict_of_filters(kMaxFiltersPerPacket), ReasonCode::Success);
  EXPECT_EQ(verdict_of_filters(kMaxFiltersPerPacket + 1), ReasonCode::QuotaExceeded);
}

}  // namespace
}  // namespace wake::broker
