#include "gateway/quiet_hours.hpp"

#include <gtest/gtest.h>

namespace wake::gateway {
namespace {

using namespace std::chrono;

broker::UtcTime at(int hour, int minute, year_month_day day = 2026y / 11 / 21) {
  return sys_days(day) + hours(hour) + minutes(minute);
}

TEST(QuietHours, OverMidnightByTheWallClockOfTheZone) {
  const broker::QuietHours night{22 * 60, 7 * 60, "Europe/Berlin"};  // UTC+1 in November
  EXPECT_FALSE(is_quiet(night, at(20, 59)));
  EXPECT_TRUE(is_quiet(night, at(21, 0)));
  EXPECT_TRUE(is_quiet(night, at(5, 59)));
  EXPECT_FALSE(is_quiet(night, at(6, 0)));
}

TEST(QuietHours, FollowsSummerTime) {
  const broker::QuietHours night{22 * 60, 7 * 60, "Europe/Berlin"};
  EXPECT_TRUE(is_quiet(night, at(20, 0, 2026y / 7 / 1)));
  EXPECT_FALSE(is_quiet(night, at(5, 0, 2026y / 7 / 1)));
}

TEST(QuietHours, WithinADayAndEmpty) {
  EXPECT_TRUE(is_quiet({60, 120, "UTC"}, at(1, 30)));
  EXPECT_FALSE(is_quiet({60, 120, "UTC"}, at(2, 0)));
  EXPECT_FALSE(is_quiet({60, 60, "UTC"}, at(1, 0)));
}

TEST(QuietHours, AnUnknownZoneIsNeverQuiet) {
  EXPECT_FALSE(is_time_zone("Mars/Olympus"));
  EXPECT_TRUE(is_time_zone("Asia/Shanghai"));
  EXPECT_FALSE(is_quiet({0, 1439, "Mars/Olympus"}, at(12, 0)));
}

}  // namespace
}  // namespace wake::gateway
