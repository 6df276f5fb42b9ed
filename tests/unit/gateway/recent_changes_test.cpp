#include "gateway/recent_changes.hpp"

#include <gtest/gtest.h>

namespace wake::gateway {
namespace {

using broker::Principal;

const Principal kAnn{Principal::Kind::User, "1", "ann"};
const Principal kCamera{Principal::Kind::Device, "CAM1", "CAM1"};

RecentChanges::Concerns only(const Principal& one) {
  return [one](const Principal& principal) { return principal == one; };
}

TEST(RecentChanges, KnowsWhatCameAfterTheMarkAndForWhom) {
  RecentChanges changes;
  changes.note(only(kAnn));
  const auto mark = changes.mark();
  EXPECT_FALSE(changes.has_changed_since(mark, kAnn));
  changes.note(only(kCamera));
  EXPECT_FALSE(changes.has_changed_since(mark, kAnn));
  EXPECT_TRUE(changes.has_changed_since(mark, kCamera));
  EXPECT_FALSE(changes.has_changed_since(changes.mark(), kCamera));
}

TEST(RecentChanges, WhatIsTooLongAgoCountsAsChanged) {
  RecentChanges changes;
  const auto mark = changes.mark();
  for (int i = 0; i < 1'000; ++i) changes.note(only(kCamera));
  EXPECT_FALSE(changes.has_changed_since(mark, kAnn));
  changes.note(only(kCamera));
  EXPECT_TRUE(changes.has_changed_since(mark, kAnn));
}

}  // namespace
}  // namespace wake::gateway
