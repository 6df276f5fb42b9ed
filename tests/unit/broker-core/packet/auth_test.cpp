#include "broker-core/packet/auth.hpp"

#include "wire.hpp"

namespace wake::broker {
namespace {

TEST(Auth, GoesBothWays) {
  const WireBytes bytes = wire(
      "F0"              // AUTH
      "0B"              // remaining length
      "18"              // continue authentication
      "09"              // property length
      "15 0001 'm'"     // authentication method
      "16 0002 00FF");  // authentication data
  const auto auth = parsed<Auth>(bytes);
  EXPECT_EQ(auth.reason, ReasonCode::ContinueAuthentication);
  EXPECT_EQ(auth.properties.authentication_method, "m");
  EXPECT_EQ(hex(auth.properties.authentication_data.value()), "00 FF ");
  expect_sound<Auth>(bytes, Version::V5, {0, 1});
}

TEST(Auth, IsTwoBytesForSuccess) {  // v5 §3.15.2.1
  expect_sound<Auth>(wire("F0 00"));
}

TEST(AuthParse, IsReservedBeforeV5) {  // v3.1.1 table 2.1
  EXPECT_EQ(refusal(wire("F0 00"), Version::V311), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("F0 00"), Version::V31), ReasonCode::MalformedPacket);
}

TEST(AuthParse, RefusesFlagsAndForeignReasons) {
  CLAUSE("v5", "MQTT-3.15.1-1");
  EXPECT_EQ(refusal(wire("F2 00")), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("F0 01 80")), ReasonCode::MalformedPacket);
}

}  // namespace
}  // namespace wake::broker
