#include "broker-core/packet/connack.hpp"

#include "wire.hpp"

namespace wake::broker {
namespace {

TEST(Connack, GoesBothWaysInV311) {
  const WireBytes bytes = wire("20 02 01 00");
  const auto connack = parsed<Connack>(bytes, Version::V311);
  EXPECT_TRUE(connack.session_present);
  EXPECT_EQ(connack.reason, ReasonCode::Success);
  expect_sound<Connack>(bytes, Version::V311);
  expect_sound<Connack>(wire("20 02 00 05"), Version::V311);
}

TEST(Connack, GoesBothWaysInV5) {
  const WireBytes bytes = wire(
      "20"           // CONNACK
      "0A"           // remaining length
      "01"           // session present
      "00"           // success
      "07"           // property length
      "12 0001 'a'"  // assigned client identifier
      "21 0064");    // receive maximum
  const auto connack = parsed<Connack>(bytes);
  EXPECT_EQ(connack.properties.assigned_client_id, "a");
  EXPECT_EQ(connack.properties.receive_maximum, 100);
  expect_sound<Connack>(bytes);
}

TEST(Connack, HasNoSessionFlagInV31) {  // v3.1 §3.2
  Connack connack;
  connack.session_present = true;
  EXPECT_EQ(written(connack, Version::V31), "20 02 00 00 ");
  EXPECT_EQ(written(connack, Version::V311), "20 02 01 00 ");
}

TEST(Connack, RefusalNeverSaysSessionPresent) {
  CLAUSE("v5", "MQTT-3.2.2-6");
  Connack connack;
  connack.session_present = true;
  connack.reason = ReasonCode::NotAuthorized;
  EXPECT_EQ(written(connack, Version::V311), "20 02 00 05 ");
  EXPECT_EQ(written(connack, Version::V5), "20 03 00 87 00 ");
}

TEST(ConnackParse, RefusesUnknownFlagsAndReasons) {
  EXPECT_EQ(refusal(wire("20 02 02 00"), Version::V311), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("20 02 00 06"), Version::V311), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("20 03 00 91 00")), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("20 03 00 00 00 "), Version::V311), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("21 02 00 00"), Version::V311), ReasonCode::MalformedPacket);
}

}  // namespace
}  // namespace wake::broker
