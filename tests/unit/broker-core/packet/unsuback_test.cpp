#include "broker-core/packet/unsuback.hpp"

#include "wire.hpp"

namespace wake::broker {
namespace {

TEST(Unsuback, IsAPacketIdInOldVersions) {
  expect_sound<Unsuback>(wire("B0 02 0001"), Version::V31);
  expect_sound<Unsuback>(wire("B0 02 0001"), Version::V311);
  EXPECT_EQ(refusal(wire("B0 03 0001 00"), Version::V311), ReasonCode::MalformedPacket);
}

TEST(Unsuback, HasAReasonForEachFilterInV5) {
  const WireBytes bytes = wire("B0 09 0001 04 1F 0001 'n' 00 11");
  const auto unsuback = parsed<Unsuback>(bytes);
  EXPECT_EQ(unsuback.reason_string, "n");
  EXPECT_EQ(unsuback.reasons, (std::vector{ReasonCode::Success, ReasonCode::NoSubscriptionExisted}));
  expect_sound<Unsuback>(bytes, Version::V5, {8});
}

TEST(UnsubackParse, RefusesForeignReasonsAndIdZero) {
  EXPECT_EQ(refusal(wire("B0 04 0001 00 01")), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("B0 03 0001 00")), ReasonCode::ProtocolError);
  EXPECT_EQ(refusal(wire("B0 04 0000 00 00")), ReasonCode::ProtocolError);
  EXPECT_EQ(refusal(wire("B2 04 0001 00 00")), ReasonCode::MalformedPacket);
}

}  // namespace
}  // namespace wake::broker
