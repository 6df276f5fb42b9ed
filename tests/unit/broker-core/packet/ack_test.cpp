#include "broker-core/packet/ack.hpp"

#include "wire.hpp"

namespace wake::broker {
namespace {

TEST(Ack, GoesBothWaysInEveryVersion) {
  for (const Version version : {Version::V31, Version::V311, Version::V5}) {
    for (const char* text : {"40 02 0102", "50 02 0102", "62 02 0102", "70 02 0102"}) {
      const WireBytes bytes = wire(text);
      const auto ack = parsed<Ack>(bytes, version);
      EXPECT_EQ(static_cast<unsigned>(ack.type), std::to_integer<unsigned>(bytes[0]) >> 4);
      EXPECT_EQ(ack.packet_id, PacketId{0x0102});
      EXPECT_EQ(ack.reason, ReasonCode::Success);
      expect_sound<Ack>(bytes, version);
    }
  }
}

TEST(Ack, CarriesAReasonInV5) {
  const WireBytes bytes = wire("40 03 0001 10");
  EXPECT_EQ(parsed<Ack>(bytes).reason, ReasonCode::NoMatchingSubscribers);
  expect_sound<Ack>(bytes, Version::V5, {2});  // without a reason: success
}

TEST(Ack, CarriesPropertiesInV5) {
  const WireBytes bytes = wire(
      "50"                      // PUBREC
      "10"                      // remaining length
      "0001"                    // packet id
      "87"                      // not authorized
      "0C"                      // property length
      "1F 0002 'no'"            // reason string
      "26 0001 'k' 0001 'v'");  // user property
  const auto ack = parsed<Ack>(bytes);
  EXPECT_EQ(ack.reason, ReasonCode::NotAuthorized);
  EXPECT_EQ(ack.reason_string, "no");
  EXPECT_EQ(ack.user_properties, (std::vector<UserProperty>{{"k", "v"}}));
  expect_sound<Ack>(bytes, Version::V5, {2, 3});
}

TEST(Ack, EmptyPropertiesAreWrittenShorter) {  // v5 §3.4.2.1
  const WireBytes bytes = wire("40 04 0001 00 00");
  EXPECT_EQ(written(parsed<Ack>(bytes)), "40 02 00 01 ");
}

TEST(Ack, SaysNoReasonToOldClients) {
  EXPECT_EQ(written(Ack{PacketType::Puback, PacketId{1}, ReasonCode::NotAuthorized, "no", {}}, Version::V311),
            "40 02 00 01 ");
}

TEST(AckParse, RefusesWrongFlags) {
  CLAUSE("v5", "MQTT-3.6.1-1");
  for (const char* text :
       {"60 02 0001", "63 02 0001", "6A 02 0001", "41 02 0001", "52 02 0001", "78 02 0001"}) {
    EXPECT_EQ(refusal(wire(text)), ReasonCode::MalformedPacket) << text;
    EXPECT_EQ(refusal(wire(text), Version::V311), ReasonCode::MalformedPacket) << text;
  }
  EXPECT_EQ(refusal(wire("6A 02 0001"), Version::V31), ReasonCode::Success);  // v3.1 §3.6: dup
}

TEST(AckParse, RefusesPacketIdZero) {
  CLAUSE("v5", "MQTT-2.2.1-3");
  EXPECT_EQ(refusal(wire("40 02 0000")), ReasonCode::ProtocolError);
}

TEST(AckParse, RefusesForeignReasons) {  // v5 tables 3-4 to 3-7
  EXPECT_EQ(refusal(wire("40 03 0001 92")), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("62 03 0001 92")), ReasonCode::Success);
  EXPECT_EQ(refusal(wire("62 03 0001 10")), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("70 03 0001 80")), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("40 03 0001 10"), Version::V311), ReasonCode::MalformedPacket);
}

}  // namespace
}  // namespace wake::broker
