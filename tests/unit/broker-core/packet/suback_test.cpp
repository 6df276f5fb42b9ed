#include "broker-core/packet/suback.hpp"

#include "wire.hpp"

namespace wake::broker {
namespace {

TEST(Suback, GoesBothWaysInV311) {
  const WireBytes bytes = wire("90 06 0001 00 01 02 80");
  const auto suback = parsed<Suback>(bytes, Version::V311);
  EXPECT_EQ(suback.reasons, (std::vector{ReasonCode::GrantedQos0, ReasonCode::GrantedQos1,
                                         ReasonCode::GrantedQos2, ReasonCode::UnspecifiedError}));
  expect_sound<Suback>(bytes, Version::V311, {3, 4, 5});  // fewer reasons are reasons
}

TEST(Suback, GoesBothWaysInV5) {
  const WireBytes bytes = wire(
      "90"           // SUBACK
      "09"           // remaining length
      "0001"         // packet id
      "04"           // property length
      "1F 0001 'n'"  // reason string
      "01"           // granted QoS 1
      "87");         // not authorized
  const auto suback = parsed<Suback>(bytes);
  EXPECT_EQ(suback.reason_string, "n");
  EXPECT_EQ(suback.reasons, (std::vector{ReasonCode::GrantedQos1, ReasonCode::NotAuthorized}));
  expect_sound<Suback>(bytes, Version::V5, {8});
}

TEST(Suback, EveryFailureIs0x80ForOldClients) {
  CLAUSE("v3.1.1", "MQTT-3.9.3-2");
  Suback suback;
  suback.packet_id = PacketId{1};
  suback.reasons = {ReasonCode::TopicFilterInvalid, ReasonCode::GrantedQos1, ReasonCode::NotAuthorized};
  EXPECT_EQ(written(suback, Version::V311), "90 05 00 01 80 01 80 ");
  EXPECT_EQ(written(suback, Version::V31), "90 05 00 01 80 01 80 ");
}

TEST(SubackParse, RefusesForeignReasons) {
  EXPECT_EQ(refusal(wire("90 03 0001 03"), Version::V311), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("90 03 0001 87"), Version::V311), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("90 04 0001 00 11")), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("90 02 0001"), Version::V311), ReasonCode::ProtocolError);
  EXPECT_EQ(refusal(wire("90 03 0000 00"), Version::V311), ReasonCode::ProtocolError);
  EXPECT_EQ(refusal(wire("92 03 0001 00"), Version::V311), ReasonCode::MalformedPacket);
}

}  // namespace
}  // namespace wake::broker
