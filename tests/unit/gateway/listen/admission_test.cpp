#include "gateway/listen/admission.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace wake::gateway {
namespace {

const broker::SteadyTime kStart{std::chrono::hours(1)};

TEST(Admission, TakesAsManyAsThereArePlaces) {
  AddressLimit addresses(0);
  Admission admission(2, 0, addresses);
  auto first = admission.admit(kStart);
  auto second = admission.admit(kStart);
  EXPECT_TRUE(first.place && second.place);
  const auto third = admission.admit(kStart);
  EXPECT_FALSE(third.place);
  EXPECT_TRUE(third.is_full);
  EXPECT_GT(third.retry_at, kStart);
}

TEST(Admission, APlaceIsFreeAgainWhenItsHolderEnds) {
  AddressLimit addresses(0);
  Admission admission(1, 0, addresses);
  {
    const auto only = admission.admit(kStart);
    ASSERT_TRUE(only.place);
    EXPECT_EQ(admission.connections(), 1u);
  }
  EXPECT_EQ(admission.connections(), 0u);
  EXPECT_TRUE(admission.admit(kStart).place);
}

TEST(Admission, AMovedPlaceIsCountedOnce) {
  AddressLimit addresses(0);
  Admission admission(5, 0, addresses);
  auto answer = admission.admit(kStart);
  std::vector<Admission::Place> kept;
  kept.push_back(std::move(*answer.place));
  answer.place.reset();
  EXPECT_EQ(admission.connections(), 1u);
  kept.front() = {};
  EXPECT_EQ(admission.connections(), 0u);
}

TEST(Admission, APlaceGoesWithItsShareOfTheAddress) {
  AddressLimit addresses(1);
  Admission admission(10, 0, addresses);
  auto first = admission.admit(kStart);
  auto second = admission.admit(kStart);
  EXPECT_TRUE(first.place->claim("192.0.2.1:1000"));
  EXPECT_FALSE(second.place->claim("192.0.2.1:1001"));
  Admission::Place moved = std::move(*first.place);
  first.place.reset();
  EXPECT_FALSE(second.place->claim("192.0.2.1:1001"));
  moved = {};
  EXPECT_TRUE(second.place->claim("192.0.2.1:1001"));
}

TEST(Admission, TooFastIsNotFull) {
  AddressLimit addresses(0);
  Admission admission(100, 1, addresses);
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
