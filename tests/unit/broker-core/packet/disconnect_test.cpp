#include "broker-core/packet/disconnect.hpp"

#include "wire.hpp"

namespace wake::broker {
namespace {

TEST(Disconnect, IsTwoBytesWithoutAReason) {
  for (const Version version : {Version::V31, Version::V311, Version::V5}) {
    const WireBytes bytes = wire("E0 00");
    EXPECT_EQ(parsed<Disconnect>(bytes, version).reason, ReasonCode::NormalDisconnection);
    expect_sound<Disconnect>(bytes, version);
  }
}

TEST(Disconnect, CarriesAReasonInV5) {
  const WireBytes bytes = wire("E0 01 04");
  EXPECT_EQ(parsed<Disconnect>(bytes).reason, ReasonCode::DisconnectWithWill);
  expect_sound<Disconnect>(bytes, Version::V5, {0});
  EXPECT_EQ(refusal(bytes, Version::V311), ReasonCode::MalformedPacket);
}

TEST(Disconnect, CarriesPropertiesInV5) {
  const WireBytes bytes = wire(
      "E0"             // DISCONNECT
      "0B"             // remaining length
      "00"             // normal
      "09"             // property length
      "11 0000000A"    // session expiry
      "1F 0001 'b'");  // reason string
  const auto disconnect = parsed<Disconnect>(bytes);
  EXPECT_EQ(disconnect.properties.session_expiry_s, 10u);
  EXPECT_EQ(disconnect.properties.reason_string, "b");
  expect_sound<Disconnect>(bytes, Version::V5, {0, 1});
}

TEST(Disconnect, SaysNoReasonToOldClients) {
  EXPECT_EQ(written(Disconnect{ReasonCode::ServerShuttingDown, {}}, Version::V311), "E0 00 ");
  EXPECT_EQ(written(Disconnect{ReasonCode::ServerShuttingDown, {}}, Version::V5), "E0 01 8B ");
}

TEST(DisconnectParse, RefusesFlagsAndForeignReasons) {
  CLAUSE("v5", "MQTT-3.14.1-1");
  EXPECT_EQ(refusal(wire("E1 00")), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("E0 01 01")), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("E0 03 00 00 00")), ReasonCode::MalformedPacket);
}

}  // namespace
}  // namespace wake::broker
