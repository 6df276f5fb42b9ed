#include "gateway/listen/psk_file.hpp"

#include <gmock/gmock.h>

namespace wake::gateway {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kKey = "000102030405060708090a0B0C0D0E0F";

std::string refusal(const std::string& text) {
  try {
    parse_psk_lines(text);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "taken";
}

TEST(PskFile, ReadsALineForEachIdentity) {
  const PskTable table = parse_psk_lines("# cameras\n\ncam-1:" + kKey + "\r\nsite:2:" + kKey + "ff");
  ASSERT_EQ(table.size(), 2u);
  EXPECT_EQ(table.at("cam-1").size(), 16u);
  EXPECT_EQ(table.at("cam-1")[11], 0x0B);
  EXPECT_EQ(table.at("site:2").back(), 0xFF);
}

TEST(PskFile, NamesTheLineAndNeverTheKey) {
  EXPECT_THAT(refusal("a:" + kKey + "\nb"), HasSubstr("line 2: expected identity:hexkey"));
  EXPECT_THAT(refusal(":" + kKey), HasSubstr("identity"));
  const std::string longest(128, 'x');
  EXPECT_THAT(refusal(longest + "x:" + kKey), HasSubstr("1 to 128"));
  EXPECT_EQ(parse_psk_lines(longest + ":" + kKey).size(), 1u);
  EXPECT_THAT(refusal("a:" + kKey.substr(2)), HasSubstr("16 to 256 bytes"));
  EXPECT_THAT(refusal("a:" + kKey + "0"), HasSubstr("hexadecimal"));
  EXPECT_THAT(refusal("a:zz" + kKey), HasSubstr("hexadecimal"));
  EXPECT_THAT(refusal("a:zz" + kKey), Not(HasSubstr(kKey)));
  EXPECT_THAT(refusal("a:" + std::string(514, '0')), HasSubstr("16 to 256 bytes"));
  EXPECT_THAT(refusal("a:" + kKey + "\na:" + kKey), HasSubstr("no line before"));
}

}  // namespace
}  // namespace wake::gateway
