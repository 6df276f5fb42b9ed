#include "broker-core/packet/packet.hpp"

#include "wire.hpp"

namespace wake::broker {
namespace {

TEST(PacketParse, TakesOneAfterTheOther) {
  const WireBytes bytes = wire("C0 00  30 03 0001 't'  E0 00  40");
  Bytes in(bytes);
  EXPECT_TRUE(std::holds_alternative<Pingreq>(std::get<Packet>(parse(in, Version::V311, kRoomy))));
  EXPECT_TRUE(std::holds_alternative<Publish>(std::get<Packet>(parse(in, Version::V311, kRoomy))));
  EXPECT_TRUE(std::holds_alternative<Disconnect>(std::get<Packet>(parse(in, Version::V311, kRoomy))));
  EXPECT_TRUE(std::holds_alternative<NeedMore>(parse(in, Version::V311, kRoomy)));
  EXPECT_EQ(in.size(), 1u);
}

TEST(PacketParse, ChecksTheSizeOneBelowAtAndOneAbove) {
  const WireBytes bytes = wire("30 03 0001 't'");
  for (const std::size_t limit : {4u, 5u, 6u}) {
    Bytes in(bytes);
    const ParseResult result = parse(in, Version::V311, limit);
    if (limit >= 5) {
      EXPECT_TRUE(std::holds_alternative<Packet>(result)) << limit;
    } else {
      EXPECT_EQ(std::get<ParseError>(result).reason, ReasonCode::PacketTooLarge) << limit;
    }
  }
}

TEST(PacketParse, NeverCrashesOnOneWrongByte) {
  const WireBytes good = wire("10 16 0004 'MQTT' 05 02 003C 08 15 0001 'm' 16 0001 'd' 0001 'c'");
  int refused = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (unsigned value = 0; value < 256; ++value) {
      WireBytes bytes = good;
      bytes[at] = static_cast<std::byte>(value);
      Bytes in(bytes);
      refused += std::holds_alternative<ParseError>(parse(in, Version::V5, kRoomy));
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(PacketWrite, WritesWhateverItHolds) {
  EXPECT_EQ(written(Packet(Pingresp{}), Version::V311), "D0 00 ");
  EXPECT_EQ(written(Packet(Ack{PacketType::Pubrel, PacketId{2}, {}, {}, {}}), Version::V5), "62 02 00 02 ");
}

}  // namespace
}  // namespace wake::broker
