#include "broker-core/packet/reader.hpp"

#include "wire.hpp"

namespace wake::broker {
namespace {

TEST(Reader, TakesNumbersBigEndianFromTheFront) {
  const WireBytes bytes = wire("01 0203 04050607");
  Reader in{Bytes(bytes)};
  std::uint8_t one = 0;
  std::uint16_t two = 0;
  std::uint32_t four = 0;
  ASSERT_TRUE(in.u8(one) && in.u16(two) && in.u32(four));
  EXPECT_EQ(one, 0x01u);
  EXPECT_EQ(two, 0x0203u);
  EXPECT_EQ(four, 0x04050607u);
  EXPECT_TRUE(in.is_empty());
}

TEST(Reader, FailsAtTheEndAndLeavesTheTargetAlone) {
  const WireBytes bytes = wire("0102 03");
  std::uint32_t four = 7;
  EXPECT_FALSE(Reader{Bytes(bytes)}.u32(four));
  EXPECT_EQ(four, 7u);
  std::uint16_t two = 7;
  EXPECT_FALSE(Reader{Bytes(bytes).first(1)}.u16(two));
  std::uint8_t one = 7;
  EXPECT_FALSE(Reader{}.u8(one));
  EXPECT_EQ(one + two, 14);
}

struct VarintRow {
  const char* bytes;
  std::uint32_t value;
};

TEST(Reader, ReadsVarintsAtTheirEdges) {  // v5 table 1-1
  for (const VarintRow& row : {VarintRow{"00", 0},
                               {"7F", 127},
                               {"8001", 128},
                               {"FF7F", 16'383},
                               {"808001", 16'384},
                               {"FFFF7F", 2'097'151},
                               {"80808001", 2'097'152},
                               {"FFFFFF7F", 268'435'455}}) {
    const WireBytes bytes = wire(row.bytes);
    Reader in{Bytes(bytes)};
    std::uint32_t value = 1;
    EXPECT_TRUE(in.varint(value)) << row.bytes;
    EXPECT_EQ(value, row.value);
    EXPECT_TRUE(in.is_empty());
  }
}

TEST(Reader, RefusesVarintsTooLongOrCut) {
  CLAUSE("v5", "MQTT-1.5.5-1");
  for (const char* text : {"", "80", "FFFFFF", "FFFFFFFF", "FFFFFFFF7F", "8000", "FF00", "80808000"}) {
    const WireBytes bytes = wire(text);
    std::uint32_t value = 0;
    EXPECT_FALSE(Reader{Bytes(bytes)}.varint(value)) << text;
  }
}

TEST(Reader, TakesStringsOfTheDeclaredLength) {
  const WireBytes bytes = wire("0003 'a/b' 0000 0002 'xy'");
  Reader in{Bytes(bytes)};
  std::string_view first;
  std::string_view empty = "?";
  Bytes last;
  ASSERT_TRUE(in.string(first) && in.string(empty) && in.binary(last));
  EXPECT_EQ(first, "a/b");
  EXPECT_EQ(empty, "");
  EXPECT_EQ(as_text(last), "xy");
}

TEST(Reader, RefusesStringsThatAreCutOrNoText) {
  for (const char* text : {"", "00", "0001", "0003 'ab'", "FFFF 'ab'", "0001 FF", "0001 00", "0003 EDA080"}) {
    const WireBytes bytes = wire(text);
    std::string_view value;
    EXPECT_FALSE(Reader{Bytes(bytes)}.string(value)) << text;
  }
}

TEST(Reader, BinaryIsNotText) {
  const WireBytes bytes = wire("0003 FF00ED");
  Bytes value;
  EXPECT_TRUE(Reader{Bytes(bytes)}.binary(value));
  EXPECT_EQ(hex(value), "FF 00 ED ");
}

TEST(Reader, SubReaderIsBoundToItsPart) {
  const WireBytes bytes = wire("0102 03");
  Reader in{Bytes(bytes)};
  Reader part;
  ASSERT_TRUE(in.sub(2, part));
  std::uint32_t four = 0;
  EXPECT_FALSE(part.u32(four));
  EXPECT_EQ(in.remaining(), 1u);
  EXPECT_FALSE(in.sub(2, part));
  EXPECT_EQ(hex(in.rest()), "03 ");
  EXPECT_TRUE(in.is_empty());
}

}  // namespace
}  // namespace wake::broker
