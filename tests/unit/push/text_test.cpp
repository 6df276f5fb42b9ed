#include "push/text.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fixtures.hpp"

namespace wake::push {
namespace {

std::string json_of(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(Utf8, KnowsWhatIsValid) {
  for (const char* good :
       {"", "a", "\xC2\x80", "前门", "\xF0\x9F\x9A\xAA", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_valid_utf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE5\x89", "a\xFF", "\xC2"}) {
    EXPECT_FALSE(is_valid_utf8(bad)) << json_of(bad);
  }
}

TEST(JsonString, EscapesAndStaysUtf8) {
  EXPECT_EQ(json_of("a\"b\\c\n\r\t\x01"), R"("a\"b\\c\n\r\t\u0001")");
  EXPECT_EQ(json_of("前门"), "\"前门\"");
  EXPECT_EQ(json_of("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
  EXPECT_EQ(json_of(std::string_view("\0", 1)), "\"\\u0000\"");
}

TEST(JsonString, EveryByteStringIsReadableJson) {
  std::uint32_t seed = 1;
  for (int round = 0; round < 2000; ++round) {
    std::string bytes;
    for (int i = 0; i < round % 40; ++i)
      bytes += static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
    EXPECT_TRUE(nlohmann::json::accept(json_of(bytes)));
    EXPECT_EQ(json_size(bytes) + 2, json_of(bytes).size());
    for (std::size_t limit : {0U, 1U, 3U, 7U, 20U}) {
      const std::string fitted = fit_text(bytes, limit);
      EXPECT_TRUE(is_valid_utf8(fitted));
      EXPECT_LE(json_size(fitted), limit);
    }
  }
}

TEST(FitText, CutsBetweenCharacters) {
  EXPECT_EQ(fit_text("前门前门", 12), "前门前门");
  EXPECT_EQ(fit_text("前门前门", 11), "前门…");
  EXPECT_EQ(fit_text("abcdef", 5), "ab…");
  EXPECT_EQ(fit_text("abcdef", 6), "abcdef");
  EXPECT_EQ(fit_text("abc", 2), "");
  EXPECT_EQ(fit_text("\n\n\n", 5), "\n…");
}

TEST(Base64, AllPaddings) {
  const auto base64 = [](std::string_view bytes) {
    std::string out;
    append_base64(out, bytes);
    return out;
  };
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  std::string url;
  append_base64url(url, "\xFB\xFF");
  EXPECT_EQ(url, "-_8");
}

TEST(Time, IsRfc3339WithMilliseconds) {
  std::string out;
  append_time(out, testing_support::kAt + std::chrono::microseconds{1'234'567});
  EXPECT_EQ(out, "2026-11-21T13:00:01.234Z");
  append_time(out, broker::kNever);
  EXPECT_TRUE(out.ends_with("9999-12-31T23:59:59.999Z"));
}

}  // namespace
}  // namespace wake::push
