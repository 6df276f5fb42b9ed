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

TEST(Admission, OneAddressHasOnlySoMany) {
  Admission admission(10, 0, 2);
  const auto claim = [&](const char* address) {
    auto answer = admission.admit(kStart);
    const bool is_in = answer.place->claim(address);
    return std::pair(is_in, std::move(*answer.place));
  };
  auto first = claim("192.0.2.1:1000");
  auto second = claim("192.0.2.1:1001");
  EXPECT_TRUE(first.first && second.first);
  EXPECT_FALSE(claim("192.0.2.1:1002").first);
  EXPECT_TRUE(claim("192.0.2.2:1000").first) << "another address";
  EXPECT_TRUE(claim("unix:").first);
  EXPECT_EQ(admission.over_address_limit(), 1u);
  EXPECT_EQ(admission.connections(), 2u) << "who is refused holds no place";
  second.second = {};
  EXPECT_TRUE(claim("192.0.2.1:1003").first);
}

TEST(Admission, WithoutALimitAnAddressMayHaveAll) {
  Admission admission(10, 0);
  std::vector<Admission::Place> places;
  for (int i = 0; i < 10; ++i) {
    places.push_back(std::move(*admission.admit(kStart).place));
    EXPECT_TRUE(places.back().claim("192.0.2.1:1"));
  }
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
