#include "broker-core/topic/share_groups.hpp"

#include <gmock/gmock.h>

namespace wake::broker {
namespace {

using testing::ElementsAre;

constexpr const char* kName = "$share/g/a/+";

std::vector<std::uint64_t> picks(ShareGroups& groups, int count) {
  std::vector<std::uint64_t> sessions;
  for (int i = 0; i < count; ++i) sessions.push_back(groups.pick(kName)->member.session);
  return sessions;
}

TEST(ShareGroups, TakesTurnsAmongThoseWhoAreFree) {
  ShareGroups groups;
  EXPECT_TRUE(groups.join(kName, {0, 1}, Readiness::Free));
  EXPECT_FALSE(groups.join(kName, {0, 2}, Readiness::Free));
  EXPECT_FALSE(groups.join(kName, {1, 3}, Readiness::Free));
  EXPECT_FALSE(groups.join(kName, {1, 3}, Readiness::Free)) << "twice is once";
  EXPECT_EQ(groups.member_count(kName), 3U);
  EXPECT_THAT(picks(groups, 6), ElementsAre(1, 2, 3, 1, 2, 3));
}

TEST(ShareGroups, PrefersWhoCanTakeItBest) {
  ShareGroups groups;
  groups.join(kName, {0, 1}, Readiness::Full);
  groups.join(kName, {0, 2}, Readiness::Away);
  groups.join(kName, {0, 3}, Readiness::Busy);
  groups.join(kName, {0, 4}, Readiness::Free);
  EXPECT_THAT(picks(groups, 2), ElementsAre(4, 4));
  groups.leave(kName, {0, 4});
  EXPECT_THAT(picks(groups, 2), ElementsAre(3, 3));
  groups.set_readiness({0, 3}, Readiness::Away);
  EXPECT_THAT(picks(groups, 2), ElementsAre(2, 3));
  groups.leave(kName, {0, 3});
  groups.leave(kName, {0, 2});
  EXPECT_THAT(picks(groups, 2), ElementsAre(1, 1));
}

TEST(ShareGroups, WhoChangesGoesBehindThoseWhoWaitedInEveryGroup) {
  ShareGroups groups;
  const std::string other = "$share/h/b";
  for (const std::uint64_t session : {1U, 2U, 3U}) {
    groups.join(kName, {0, session}, Readiness::Free);
    groups.join(other, {0, session}, Readiness::Free);
  }
  groups.set_readiness({0, 1}, Readiness::Busy);
  EXPECT_THAT(picks(groups, 3), ElementsAre(2, 3, 2));
  groups.set_readiness({0, 1}, Readiness::Free);
  EXPECT_THAT(picks(groups, 3), ElementsAre(3, 2, 1));
  groups.leave(kName, {0, 1});
  EXPECT_EQ(groups.pick(other)->member.session, 2U);
  EXPECT_EQ(groups.member_count(other), 3U);
}

TEST(ShareGroups, APickCostsTheSameWhenNobodyIsFree) {
  constexpr std::uint64_t kMembers = 20'000;
  ShareGroups groups;
  for (std::uint64_t session = 1; session <= kMembers; ++session)
    groups.join(kName, {0, session}, Readiness::Away);
  // Linear in the group this is 2e10 steps, and the test's time is up.
  std::uint64_t last = 0;
  for (int i = 0; i < 1'000'000; ++i) last = groups.pick(kName)->member.session;
  EXPECT_EQ(last, kMembers);
}

TEST(ShareGroups, EndWithTheirLastMemberAndBeginAnew) {
  ShareGroups groups;
  const auto number = groups.join(kName, {0, 1}, Readiness::Free);
  EXPECT_FALSE(groups.leave(kName, {1, 1})) << "never joined";
  EXPECT_EQ(groups.leave(kName, {0, 1}), number);
  EXPECT_FALSE(groups.pick(std::string_view(kName)));
  EXPECT_TRUE(groups.join(kName, {0, 2}, Readiness::Free));
  EXPECT_THAT(picks(groups, 1), ElementsAre(2));
}

}  // namespace
}  // namespace wake::broker
