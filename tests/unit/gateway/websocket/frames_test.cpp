#include "gateway/websocket/frames.hpp"

#include <gmock/gmock.h>

namespace wake::gateway::websocket {
namespace {

constexpr std::uint64_t kMax = 1000;
constexpr std::string_view kKey("\x12\x34\x56\x78", 4);

/// As a client sends it: masked.
std::string frame(std::uint8_t first, std::string_view payload) {
  std::string bytes(1, static_cast<char>(first));
  const std::string length = frame_header(Opcode::Binary, payload.size()).substr(1);
  bytes += static_cast<char>(length[0] | 0x80);
  bytes.append(length.substr(1)).append(kKey);
  for (std::size_t i = 0; i < payload.size(); ++i) bytes += static_cast<char>(payload[i] ^ kKey[i % 4]);
  return bytes;
}

std::string read(FrameReader& reader, std::string wire) {
  const std::size_t size = reader.read(std::as_writable_bytes(std::span(wire)));
  return wire.substr(0, size);
}

std::string repeated(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i % 26);
  return text;
}

TEST(FrameReader, TakesTheMaskOffABinaryFrame) {
  FrameReader reader(kMax);
  EXPECT_EQ(read(reader, frame(0x82, "hello, world")), "hello, world");
  EXPECT_FALSE(reader.end());
}

TEST(FrameReader, PacketsAndFramesNeedNotMeet) {
  // CVE-2026-25627.
  FrameReader reader(kMax);
  EXPECT_EQ(read(reader, frame(0x82, "ab") + frame(0x82, "") + frame(0x82, "cde") + frame(0x02, "f") +
                             frame(0x00, "g") + frame(0x80, "h")),
            "abcdefgh");
  EXPECT_FALSE(reader.end());
}

TEST(FrameReader, EveryLengthAndEverySplitGiveTheSameBytes) {
  for (const std::size_t size : {1, 7, 8, 9, 125, 126, 127, 700}) {
    const std::string payload = repeated(size);
    const std::string wire = frame(0x82, payload) + frame(0x89, "p") + frame(0x82, payload);
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{64}, wire.size()}) {
      FrameReader reader(kMax);
      std::string got;
      for (std::size_t at = 0; at < wire.size(); at += step) got += read(reader, wire.substr(at, step));
      EXPECT_EQ(got, payload + payload) << size << " bytes in steps of " << step;
      EXPECT_EQ(reader.take_ping(), "p");
    }
  }
}

TEST(FrameReader, A64BitLengthIsRead) {
  FrameReader reader(100'000);
  const std::string payload = repeated(70'000);
  EXPECT_EQ(read(reader, frame(0x82, payload)), payload);
}

TEST(FrameReader, OnlyTheLastPingIsToBeAnswered) {
  FrameReader reader(kMax);
  read(reader, frame(0x89, "one") + frame(0x8A, "unasked") + frame(0x89, "two"));
  EXPECT_EQ(reader.take_ping(), "two");
  EXPECT_EQ(reader.take_ping(), std::nullopt);
}

TEST(FrameReader, APingMayComeInsideAFragmentedMessage) {
  FrameReader reader(kMax);
  EXPECT_EQ(read(reader, frame(0x02, "a") + frame(0x89, "?") + frame(0x80, "b")), "ab");
  EXPECT_EQ(reader.take_ping(), "?");
}

TEST(FrameReader, ACloseIsAnsweredWithItsCodeAndNothingFollows) {
  FrameReader reader(kMax);
  EXPECT_EQ(read(reader, frame(0x82, "a") + frame(0x88, "\x03\xe9") + frame(0x82, "late")), "a");
  EXPECT_EQ(reader.end(), CloseCode{1001});
  EXPECT_STREQ(reader.violation(), "");
  EXPECT_EQ(read(reader, frame(0x82, "later")), "");
}

TEST(FrameReader, ACloseWithoutACodeIsNormal) {
  FrameReader reader(kMax);
  read(reader, frame(0x88, ""));
  EXPECT_EQ(reader.end(), CloseCode::Normal);
}

struct Broken {
  const char* name;
  std::string wire;
  CloseCode code;
};

class FrameReaderBroken : public testing::TestWithParam<Broken> {};

TEST_P(FrameReaderBroken, EndsWithItsCode) {
  FrameReader reader(kMax);
  read(reader, GetParam().wire);
  ASSERT_TRUE(reader.end());
  EXPECT_EQ(*reader.end(), GetParam().code) << reader.violation();
  EXPECT_STRNE(reader.violation(), "");
}

INSTANTIATE_TEST_SUITE_P(
    Rfc6455, FrameReaderBroken,
    testing::Values(
        Broken{"Text", frame(0x81, "{}"), CloseCode::UnsupportedData},
        Broken{"NoMask", std::string("\x82\x01x"), CloseCode::ProtocolError},
        Broken{"ReservedBit", frame(0xC2, "x"), CloseCode::ProtocolError},
        Broken{"UnknownData", frame(0x83, "x"), CloseCode::ProtocolError},
        Broken{"UnknownControl", frame(0x8B, "x"), CloseCode::ProtocolError},
        Broken{"FragmentedPing", frame(0x09, "x"), CloseCode::ProtocolError},
        Broken{"LongPing", frame(0x89, repeated(126)), CloseCode::ProtocolError},
        Broken{"ContinuationOfNothing", frame(0x80, "x"), CloseCode::ProtocolError},
        Broken{"MessageInsideMessage", frame(0x02, "x") + frame(0x82, "y"), CloseCode::ProtocolError},
        Broken{"LengthWrittenTooLong", std::string("\x82\xfe\x00\x7d", 4) + std::string(kKey),
               CloseCode::ProtocolError},
        Broken{"LengthWrittenMuchTooLong",
               std::string("\x82\xff\0\0\0\0\0\0\xff\xff", 10) + std::string(kKey), CloseCode::ProtocolError},
        Broken{"LengthBeyond63Bits", std::string("\x82\xff\x80\0\0\0\0\0\0\0", 10) + std::string(kKey),
               CloseCode::ProtocolError},
        Broken{"HalfACloseCode", frame(0x88, "\x03"), CloseCode::ProtocolError},
        Broken{"ForbiddenCloseCode", frame(0x88, "\x03\xed"), CloseCode::ProtocolError},
        Broken{"CloseReasonIsNoText", frame(0x88, "\x03\xe8\xff"), CloseCode::InvalidPayload}),
    [](const auto& info) { return info.param.name; });

TEST(FrameReader, TheLargestFrameIsTakenAndOneByteMoreIsRefusedOnItsHeader) {
  FrameReader at_limit(kMax);
  EXPECT_EQ(read(at_limit, frame(0x82, repeated(kMax))).size(), kMax);
  FrameReader above(kMax);
  EXPECT_EQ(read(above, frame(0x82, repeated(kMax + 1)).substr(0, 8)), "");
  EXPECT_EQ(above.end(), CloseCode::TooBig);
}

TEST(FrameWriter, HeadersAreMinimal) {
  EXPECT_EQ(frame_header(Opcode::Binary, 5), "\x82\x05");
  EXPECT_EQ(frame_header(Opcode::Binary, 125), "\x82\x7d");
  EXPECT_EQ(frame_header(Opcode::Binary, 126), std::string("\x82\x7e\x00\x7e", 4));
  EXPECT_EQ(frame_header(Opcode::Binary, 0xFFFF), "\x82\x7e\xff\xff");
  EXPECT_EQ(frame_header(Opcode::Binary, 0x10000), std::string("\x82\x7f\0\0\0\0\0\x01\0\0", 10));
  EXPECT_EQ(close_frame(CloseCode::UnsupportedData), "\x88\x02\x03\xeb");
}

}  // namespace
}  // namespace wake::gateway::websocket
