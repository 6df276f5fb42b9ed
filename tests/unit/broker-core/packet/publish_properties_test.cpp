#include "broker-core/packet/publish_properties.hpp"

#include "wire.hpp"

namespace wake::broker {
namespace {

/// All of PUBLISH, in the order in which we write them.
const WireBytes kAll = wire(
    "2E"                     // property length
    "02 0000003C"            // message expiry interval
    "23 0007"                // topic alias
    "0B 8001"                // subscription identifier
    "0B 02"                  // and another
    "01 01"                  // payload format indicator
    "03 0004 'text'"         // content type
    "08 0002 'rt'"           // response topic
    "09 0002 00FF"           // correlation data
    "26 0001 'k' 0002 'v1'"  // user property
    "26 0001 'k' 0000");     // the same name, no value

const std::string_view kForwardedText =
    "01 01  03 0004 'text'  08 0002 'rt'  09 0002 00FF  26 0001 'k' 0002 'v1'  26 0001 'k' 0000";

PublishProperties parse_all(const WireBytes& bytes) {
  PublishProperties properties;
  Reader in{Bytes(bytes)};
  EXPECT_EQ(parse(in, properties), ReasonCode::Success);
  EXPECT_TRUE(in.is_empty());
  return properties;
}

ReasonCode verdict(std::string_view text) {
  const WireBytes bytes = wire(text);
  PublishProperties properties;
  Reader in{Bytes(bytes)};
  return parse(in, properties);
}

ReasonCode will_verdict(std::string_view text) {
  const WireBytes bytes = wire(text);
  PublishProperties properties;
  std::uint32_t delay_s = 0;
  Reader in{Bytes(bytes)};
  return parse_will(in, properties, delay_s);
}

TEST(PublishProperties, ReadsAll) {
  const PublishProperties properties = parse_all(kAll);
  EXPECT_EQ(properties.message_expiry_s, 60u);
  EXPECT_EQ(properties.topic_alias, 7);
  EXPECT_EQ(properties.subscription_ids, (std::vector<std::uint32_t>{128, 2}));
  EXPECT_EQ(properties.payload_format, true);
  EXPECT_EQ(properties.content_type, "text");
  EXPECT_EQ(properties.response_topic, "rt");
  EXPECT_EQ(hex(properties.correlation_data.value()), "00 FF ");
  EXPECT_EQ(properties.user_properties, (std::vector<UserProperty>{{"k", "v1"}, {"k", ""}}));
  WireBytes out;
  write(properties, out);
  EXPECT_EQ(hex(out), hex(kAll));
}

TEST(PublishProperties, RefusesWhatDoesNotBelong) {
  EXPECT_EQ(verdict("05 18 00000001"), ReasonCode::MalformedPacket);  // will delay
  EXPECT_EQ(verdict("05 11 00000001"), ReasonCode::MalformedPacket);  // session expiry
  EXPECT_EQ(verdict("02 01 02"), ReasonCode::ProtocolError);
  EXPECT_EQ(verdict("02 0B 00"), ReasonCode::ProtocolError);
  EXPECT_EQ(verdict("04 01 01 01 01"), ReasonCode::ProtocolError);
  EXPECT_EQ(verdict("06 23 0001 23 0002"), ReasonCode::ProtocolError);
  EXPECT_EQ(verdict("03 23 0000"), ReasonCode::TopicAliasInvalid);
  EXPECT_EQ(verdict("01 09"), ReasonCode::MalformedPacket);
}

TEST(WillProperties, HaveADelayButNoAliasAndNoSubscription) {  // v5 §3.1.3.2
  EXPECT_EQ(will_verdict("05 18 00000001"), ReasonCode::Success);
  EXPECT_EQ(will_verdict("05 02 00000001"), ReasonCode::Success);
  EXPECT_EQ(will_verdict("03 23 0001"), ReasonCode::MalformedPacket);
  EXPECT_EQ(will_verdict("02 0B 01"), ReasonCode::MalformedPacket);
  EXPECT_EQ(will_verdict("0A 18 00000001 18 00000001"), ReasonCode::ProtocolError);
}

TEST(ForwardableProperties, AreTheApplicationsOnly) {
  CLAUSE("v5", "MQTT-3.3.2-17");
  EXPECT_EQ(hex(as_bytes(forwardable_properties(parse_all(kAll)))), hex(wire(kForwardedText)));
}

TEST(ForwardableProperties, OfNoneAreEmpty) {
  EXPECT_EQ(forwardable_properties({}), "");
  const WireBytes hop_only = wire("05 02 00000001");
  EXPECT_EQ(forwardable_properties(parse_all(hop_only)), "");
}

TEST(ForwardableProperties, ComeBackAsTheyWere) {
  const std::string bytes = forwardable_properties(parse_all(kAll));
  const auto properties = parse_forwardable(bytes);
  ASSERT_TRUE(properties);
  EXPECT_EQ(forwardable_properties(*properties), bytes);
  EXPECT_FALSE(parse_forwardable(std::string_view(bytes).substr(0, bytes.size() - 1)));
  EXPECT_FALSE(parse_forwardable(as_text(wire("23 0001"))));
}

TEST(ForwardableProperties, TakeOneMoreUserProperty) {
  std::string bytes = forwardable_properties(parse_all(kAll));
  append_user_property(bytes, "wake-id", "42");
  const auto properties = parse_forwardable(bytes);
  ASSERT_TRUE(properties);
  ASSERT_EQ(properties->user_properties.size(), 3u);
  EXPECT_EQ(properties->user_properties.back(), UserProperty("wake-id", "42"));
}

}  // namespace
}  // namespace wake::broker
