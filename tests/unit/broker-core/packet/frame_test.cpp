#include "broker-core/packet/frame.hpp"

#include "wire.hpp"

namespace wake::broker {
namespace {

FrameResult take(const WireBytes& bytes, std::size_t max_packet_bytes = kRoomy) {
  Bytes in(bytes);
  return take_frame(in, max_packet_bytes);
}

TEST(TakeFrame, CutsOneFrameAndLeavesTheNext) {
  const WireBytes bytes = wire("3A 02 0102  C0 00");
  Bytes in(bytes);
  const auto frame = std::get<Frame>(take_frame(in, kRoomy));
  EXPECT_EQ(frame.type(), PacketType::Publish);
  EXPECT_EQ(frame.flags(), 0x0A);
  EXPECT_EQ(hex(frame.body), "01 02 ");
  EXPECT_EQ(hex(in), "C0 00 ");
}

TEST(TakeFrame, SaysHowMuchIsMissing) {
  EXPECT_EQ(std::get<NeedMore>(take({})).bytes, 2u);
  EXPECT_EQ(std::get<NeedMore>(take(wire("30"))).bytes, 1u);
  EXPECT_EQ(std::get<NeedMore>(take(wire("30 80"))).bytes, 1u);
  EXPECT_EQ(std::get<NeedMore>(take(wire("30 8001"))).bytes, 128u);
  EXPECT_EQ(std::get<NeedMore>(take(wire("30 05 01"))).bytes, 4u);
}

TEST(TakeFrame, RefusesTypeZeroAtOnce) {  // v5 table 2-1: reserved
  EXPECT_EQ(std::get<ParseError>(take(wire("00"))).reason, ReasonCode::MalformedPacket);
}

TEST(TakeFrame, RefusesAFifthLengthByte) {  // v5 §1.5.5
  EXPECT_EQ(std::get<NeedMore>(take(wire("30 FFFFFF"))).bytes, 1u);
  EXPECT_EQ(std::get<ParseError>(take(wire("30 FFFFFFFF"))).reason, ReasonCode::MalformedPacket);
}

TEST(TakeFrame, AcceptsAPaddedLengthForOldClients) {
  EXPECT_EQ(std::get<Frame>(take(wire("C0 80808000"))).body.size(), 0u);
}

TEST(TakeFrame, ChecksTheSizeBeforeTheBodyIsThere) {
  const WireBytes header = wire("30 08");  // ten bytes in all
  EXPECT_TRUE(std::holds_alternative<NeedMore>(take(header, 11)));
  EXPECT_TRUE(std::holds_alternative<NeedMore>(take(header, 10)));
  EXPECT_EQ(std::get<ParseError>(take(header, 9)).reason, ReasonCode::PacketTooLarge);
  EXPECT_EQ(std::get<ParseError>(take(wire("30 FFFFFF7F"))).reason, ReasonCode::PacketTooLarge);
}

TEST(PacketTypeNames, AreThoseOfTheSpecification) {
  EXPECT_EQ(to_string(PacketType::Connect), "CONNECT");
  EXPECT_EQ(to_string(PacketType::Auth), "AUTH");
  EXPECT_EQ(to_string(static_cast<PacketType>(0)), "RESERVED");
}

}  // namespace
}  // namespace wake::broker
