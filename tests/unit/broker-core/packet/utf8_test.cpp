#include "broker-core/packet/utf8.hpp"

#include <string>

#include <gtest/gtest.h>

namespace wake::broker {
namespace {

TEST(Utf8, AcceptsTextOfEveryLength) {
  EXPECT_TRUE(is_valid_utf8(""));
  EXPECT_TRUE(is_valid_utf8("zavio/ipcam/motion"));
  EXPECT_TRUE(is_valid_utf8("\xC2\x80 \xDF\xBF"));                  // two bytes: U+0080, U+07FF
  EXPECT_TRUE(is_valid_utf8("\xE0\xA0\x80 \xEF\xBF\xBD"));          // three: U+0800, U+FFFD
  EXPECT_TRUE(is_valid_utf8("\xF0\x90\x80\x80 \xF4\x8F\xBF\xBD"));  // four: U+10000, U+10FFFD
  EXPECT_TRUE(is_valid_utf8("摄像头/门口"));
}

TEST(Utf8, KeepsTheByteOrderMark) {  // v5 [MQTT-1.5.4-3]: U+FEFF is a character, never stripped
  EXPECT_TRUE(is_valid_utf8("\xEF\xBB\xBF"));
}

TEST(Utf8, RefusesNulAnywhere) {  // v5 [MQTT-1.5.4-2]
  for (std::size_t at = 0; at < 20; ++at) {
    std::string text(20, 'a');
    text[at] = '\0';
    EXPECT_FALSE(is_valid_utf8(text)) << at;
  }
}

TEST(Utf8, RefusesNoncharacters) {  // libmosquitto closes its connection over them
  for (const char* text : {"\xEF\xB7\x90", "\xEF\xB7\xAF", "\xEF\xBF\xBE", "\xEF\xBF\xBF", "\xF0\x9F\xBF\xBE",
                           "\xF4\x8F\xBF\xBF"})
    EXPECT_FALSE(is_valid_utf8(text)) << text;
  EXPECT_TRUE(is_valid_utf8("\xEF\xB7\x8F\xEF\xB7\xB0"));  // U+FDCF and U+FDF0, beside them
}

TEST(Utf8, RefusesSurrogates) {                 // v5 [MQTT-1.5.4-1]
  EXPECT_FALSE(is_valid_utf8("\xED\xA0\x80"));  // U+D800
  EXPECT_FALSE(is_valid_utf8("\xED\xBF\xBF"));  // U+DFFF
  EXPECT_TRUE(is_valid_utf8("\xED\x9F\xBF"));   // U+D7FF, one below
  EXPECT_TRUE(is_valid_utf8("\xEE\x80\x80"));   // U+E000, one above
}

TEST(Utf8, RefusesOverlongForms) {
  EXPECT_FALSE(is_valid_utf8("\xC0\x80"));          // U+0000 in two
  EXPECT_FALSE(is_valid_utf8("\xC1\xBF"));          // U+007F in two
  EXPECT_FALSE(is_valid_utf8("\xE0\x9F\xBF"));      // U+07FF in three
  EXPECT_FALSE(is_valid_utf8("\xF0\x8F\xBF\xBF"));  // U+FFFF in four
}

TEST(Utf8, RefusesAboveTheLastCodePoint) {
  EXPECT_FALSE(is_valid_utf8("\xF4\x90\x80\x80"));
  EXPECT_FALSE(is_valid_utf8("\xF5\x80\x80\x80"));
  EXPECT_FALSE(is_valid_utf8("\xFF"));
}

TEST(Utf8, RefusesStrayAndMissingTails) {
  EXPECT_FALSE(is_valid_utf8("\x80"));
  EXPECT_FALSE(is_valid_utf8("\xC2"));
  EXPECT_FALSE(is_valid_utf8("\xC2 "));
  EXPECT_FALSE(is_valid_utf8("\xE4\xBD"));
  EXPECT_FALSE(is_valid_utf8("\xE4\xBD "));
  EXPECT_FALSE(is_valid_utf8("\xF0\x9F\x98"));
  EXPECT_FALSE(is_valid_utf8("\xF0\x9F\x98 "));
}

TEST(Utf8, LooksBeyondTheFirstEightBytes) {
  EXPECT_FALSE(is_valid_utf8("abcdefgh\x80"));
  EXPECT_FALSE(is_valid_utf8("abcdefg\x80ijklmnop"));
  EXPECT_TRUE(is_valid_utf8("abcdefg\xC3\xBCijklmnop"));
}

}  // namespace
}  // namespace wake::broker
