#include "broker-core/packet/ping.hpp"

#include "wire.hpp"

namespace wake::broker {
namespace {

TEST(Ping, IsTwoBytesInEveryVersion) {
  for (const Version version : {Version::V31, Version::V311, Version::V5}) {
    expect_sound<Pingreq>(wire("C0 00"), version);
    expect_sound<Pingresp>(wire("D0 00"), version);
  }
}

TEST(PingParse, RefusesFlagsAndBody) {
  CLAUSE("v5", "MQTT-2.1.3-1");
  EXPECT_EQ(refusal(wire("C1 00")), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("C0 01 00")), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("D8 00")), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("D0 01 00")), ReasonCode::MalformedPacket);
}

}  // namespace
}  // namespace wake::broker
