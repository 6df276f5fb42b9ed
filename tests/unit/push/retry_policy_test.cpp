#include "push/retry_policy.hpp"

#include <gtest/gtest.h>

#include "fixtures.hpp"

namespace wake::push {
namespace {

using namespace std::chrono_literals;
using broker::Platform;
using testing_support::kAt;

RetryQuestion question(Platform platform, int attempt_count, double random = 0.5) {
  RetryQuestion result;
  result.platform = platform;
  result.attempt_count = attempt_count;
  result.now = kAt;
  result.random = random;
  return result;
}
auto delay(const RetryQuestion& asked) { return *next_retry_at(asked) - kAt; }

TEST(RetryPolicy, ApnsStepsAreApplesPatience) {
  const std::chrono::seconds expected[] = {5s, 20s, 60s, 300s, 900s, 900s};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(delay(question(Platform::Apns, i + 1)), expected[i]);
}

TEST(RetryPolicy, ApnsJitterIsAFifthBothWays) {
  EXPECT_EQ(delay(question(Platform::Apns, 1, 0.0)), 4s);
  EXPECT_EQ(delay(question(Platform::Apns, 1, 1.0)), 6s);
}

TEST(RetryPolicy, FcmNeverSoonerThan10Seconds) {
  EXPECT_EQ(delay(question(Platform::Fcm, 1, 0.0)), 10s);
  EXPECT_EQ(delay(question(Platform::Fcm, 1, 1.0)), 12s);
  EXPECT_EQ(delay(question(Platform::Fcm, 3, 0.0)), 40s);
  EXPECT_EQ(delay(question(Platform::Fcm, 1000, 0.0)), 900s);
}

TEST(RetryPolicy, RetryAfterIsAFloor) {
  auto asked = question(Platform::Apns, 1);
  asked.retry_after = 120s;
  EXPECT_EQ(delay(asked), 120s);
  asked.retry_after = 1s;
  EXPECT_EQ(delay(asked), 5s);
}

TEST(RetryPolicy, NothingAtOrAfterTheExpiry) {
  auto asked = question(Platform::Apns, 1);
  asked.expires_at = kAt + 5s;
  EXPECT_FALSE(next_retry_at(asked));
  asked.expires_at = kAt + 5001ms;
  EXPECT_TRUE(next_retry_at(asked));
}

TEST(RetryPolicy, PhoneHoldDoublesTo15Minutes) {
  EXPECT_EQ(phone_hold(0, std::nullopt), 30s);
  EXPECT_EQ(phone_hold(1, std::nullopt), 60s);
  EXPECT_EQ(phone_hold(30, std::nullopt), 15min);
  EXPECT_EQ(phone_hold(0, 90s), 90s);
}

TEST(RetryAfter, SecondsOrDate) {
  EXPECT_EQ(parse_retry_after("120", kAt), 120s);
  EXPECT_EQ(parse_retry_after("0", kAt), 0s);
  EXPECT_EQ(parse_retry_after("Sat, 21 Nov 2026 13:00:30 GMT", kAt), 30s);
  EXPECT_EQ(parse_retry_after("Sat, 21 Nov 2026 12:00:00 GMT", kAt), 0s);
  EXPECT_EQ(parse_retry_after("999999999999", kAt), 24h);
}

TEST(RetryAfter, NeitherIsNothing) {
  for (const char* value : {"", "soon", "-1", "1.5", "12x", "Sat, 31 Feb 2026 13:00:30 GMT",
                            "99999999999999999999", "Sat, 21 Xxx 2026 13:00:30 GMT"}) {
    EXPECT_FALSE(parse_retry_after(value, kAt)) << value;
  }
}

}  // namespace
}  // namespace wake::push
