#include "broker-core/packet/writer.hpp"

#include "broker-core/packet/reader.hpp"
#include "wire.hpp"

namespace wake::broker {
namespace {

TEST(Writer, AppendsBigEndian) {
  WireBytes bytes = wire("FF");
  Writer out(bytes);
  out.u8(1);
  out.u16(0x0203);
  out.u32(0x04050607);
  out.string("ab");
  out.binary(as_bytes("c"));
  out.raw("d");
  EXPECT_EQ(hex(bytes), hex(wire("FF 01 0203 04050607 0002 'ab' 0001 'c' 'd'")));
  EXPECT_EQ(out.size(), bytes.size());
}

TEST(Writer, VarintsComeBackAtTheirEdges) {  // v5 table 1-1
  for (const std::uint32_t value : {0u, 127u, 128u, 16'383u, 16'384u, 2'097'151u, 2'097'152u, kMaxVarint}) {
    WireBytes bytes;
    Writer(bytes).varint(value);
    EXPECT_EQ(bytes.size(), varint_size(value));
    std::uint32_t back = 1;
    ASSERT_TRUE(Reader{Bytes(bytes)}.varint(back));
    EXPECT_EQ(back, value);
  }
}

TEST(Writer, PutsTheLengthInFrontOfWhatFollows) {
  for (const std::size_t size : {0u, 1u, 127u, 128u, 16'384u}) {
    WireBytes bytes = wire("AA");
    write_with_length(bytes, [&](Writer& out) { out.raw(std::string(size, 'x')); });
    Reader in{Bytes(bytes).subspan(1)};
    std::uint32_t length = 0;
    ASSERT_TRUE(in.varint(length));
    EXPECT_EQ(length, size);
    EXPECT_EQ(in.remaining(), size);
  }
}

TEST(Writer, PutsTheFixedHeaderInFrontOfThePacket) {
  WireBytes bytes;
  write_packet(PacketType::Pubrel, 2, bytes, [](Writer& out) { out.u16(7); });
  EXPECT_EQ(hex(bytes), "62 02 00 07 ");
}

}  // namespace
}  // namespace wake::broker
