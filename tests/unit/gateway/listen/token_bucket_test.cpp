#include "gateway/listen/token_bucket.hpp"

#include <gtest/gtest.h>

namespace wake::gateway {
namespace {

using std::chrono::milliseconds;

const broker::SteadyTime kFirst{std::chrono::hours(1)};

TEST(TokenBucket, GivesABurstOfOneSecondsWorthThenNothing) {
  TokenBucket bucket(3);
  EXPECT_TRUE(bucket.take(kFirst));
  EXPECT_TRUE(bucket.take(kFirst));
  EXPECT_TRUE(bucket.take(kFirst));
  EXPECT_FALSE(bucket.take(kFirst));
}

TEST(TokenBucket, NamesTheMomentOfTheNextToken) {
  TokenBucket bucket(4);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(bucket.take(kFirst));
  EXPECT_FALSE(bucket.take(kFirst));
  const broker::SteadyTime ready = bucket.ready_at(kFirst);
  EXPECT_EQ(ready, kFirst + milliseconds(250));
  EXPECT_FALSE(bucket.take(ready - milliseconds(1)));
  EXPECT_TRUE(bucket.take(ready));
}

TEST(TokenBucket, FillsNoFurtherThanItsBurst) {
  TokenBucket bucket(2);
  ASSERT_TRUE(bucket.take(kFirst));
  const broker::SteadyTime later = kFirst + std::chrono::hours(1);
  EXPECT_TRUE(bucket.take(later));
  EXPECT_TRUE(bucket.take(later));
  EXPECT_FALSE(bucket.take(later));
}

TEST(TokenBucket, ZeroIsNoLimit) {
  TokenBucket bucket(0);
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(bucket.take(kFirst));
  EXPECT_EQ(bucket.ready_at(kFirst), kFirst);
}

}  // namespace
}  // namespace wake::gateway
