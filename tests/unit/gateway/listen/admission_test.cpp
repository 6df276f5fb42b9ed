#include "gateway/listen/admission.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace wake::gateway {
namespace {

const broker::SteadyTime kStart{std::chrono::hours(1)};

TEST(Admission, TakesAsManyAsThereArePlaces) {
  Admission admission(2, 0);
  auto first = admission.admit(kStart);
  auto second = admission.admit(kStart);
  EXPECT_TRUE(first.place && second.place);
  const auto third = admission.admit(kStart);
  EXPECT_FALSE(third.place);
  EXPECT_TRUE(third.is_full);
  EXPECT_GT(third.retry_at, kStart);
}

TEST(Admission, APlaceIsFreeAgainWhenItsHolderEnds) {
  Admission admission(1, 0);
  {
    const auto only = admission.admit(kStart);
    ASSERT_TRUE(only.place);
    EXPECT_EQ(admission.connections(), 1u);
  }
  EXPECT_EQ(admission.connections(), 0u);
  EXPECT_TRUE(admission.admit(kStart).place);
}

TEST(Admission, AMovedPlaceIsCountedOnce) {
  Admission admission(5, 0);
  auto answer = admission.admit(kStart);
  std::vector<Admission::Place> kept;
  kept.push_back(std::move(*answer.place));
  answer.place.reset();
  EXPECT_EQ(admission.connections(), 1u);
  kept.front() = {};
  EXPECT_EQ(admission.connections(), 0u);
}

TEST(Admission, TooFastIsNotFull) {
  Admission admission(100, 1);
  const auto first = admission.admit(kStart);
  const auto second = admission.admit(kStart);
  ASSERT_TRUE(first.place);
  EXPECT_FALSE(second.place);
  EXPECT_FALSE(second.is_full);
  EXPECT_EQ(second.retry_at, kStart + std::chrono::seconds(1));
  EXPECT_EQ(admission.connections(), 1u);
}

}  // namespace
}  // namespace wake::gateway
