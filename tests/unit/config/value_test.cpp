#include "config/value.hpp"

#include <gtest/gtest.h>

namespace wake::config {
namespace {

using std::chrono::milliseconds;

TEST(Duration, IsAWholeNumberAndAUnit) {
  EXPECT_EQ(as_duration(std::string("2ms")), milliseconds(2));
  EXPECT_EQ(as_duration(std::string("10s")), milliseconds(10'000));
  EXPECT_EQ(as_duration(std::string("5m")), milliseconds(300'000));
  EXPECT_EQ(as_duration(std::string("1h")), milliseconds(3'600'000));
  EXPECT_EQ(as_duration(Bare{"7d"}), milliseconds(7 * 86'400'000));
  EXPECT_EQ(as_duration(std::string("0")), milliseconds(0));
}

TEST(Duration, RefusesWhatIsNone) {
  for (const char* text :
       {"", "s", "10", "1.5s", "-1s", "10 s", "10sec", "99999999999999999999s", "36601d"}) {
    EXPECT_EQ(as_duration(std::string(text)), std::nullopt) << text;
  }
  EXPECT_EQ(as_duration(std::int64_t{10}), std::nullopt);
  EXPECT_EQ(as_duration(true), std::nullopt);
}

TEST(Size, IsBytesOrANumberAndAUnit) {
  EXPECT_EQ(as_size(std::string("1MiB")), 1 << 20);
  EXPECT_EQ(as_size(std::string("64KiB")), 64 * 1024);
  EXPECT_EQ(as_size(std::string("2GiB")), std::int64_t{2} << 30);
  EXPECT_EQ(as_size(std::string("7B")), 7);
  EXPECT_EQ(as_size(std::int64_t{4096}), 4096);
  EXPECT_EQ(as_size(Bare{"4096"}), 4096);
}

TEST(Size, RefusesWhatIsNone) {
  for (const char* text : {"", "MiB", "1MB", "-1B", "1.5MiB", "9223372036854775807GiB"}) {
    EXPECT_EQ(as_size(std::string(text)), std::nullopt) << text;
  }
  EXPECT_EQ(as_size(std::int64_t{-1}), std::nullopt);
}

TEST(Value, IsNotGuessedFromTextInAFile) {
  EXPECT_EQ(as_bool(std::string("true")), std::nullopt);
  EXPECT_EQ(as_integer(std::string("12")), std::nullopt);
  EXPECT_EQ(as_bool(Bare{"true"}), true);
  EXPECT_EQ(as_integer(Bare{"12"}), 12);
  EXPECT_EQ(as_integer(Bare{"12x"}), std::nullopt);
}

TEST(Value, IsPrintedAsItIsWritten) {
  EXPECT_EQ(duration_text(milliseconds(7 * 86'400'000)), "7d");
  EXPECT_EQ(duration_text(milliseconds(90'000)), "90s");
  EXPECT_EQ(duration_text(milliseconds(0)), "0s");
  EXPECT_EQ(size_text(64 << 20), "64MiB");
  EXPECT_EQ(size_text(1000), "1000B");
  EXPECT_EQ(quoted_toml("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000A\"");
}

}  // namespace
}  // namespace wake::config
