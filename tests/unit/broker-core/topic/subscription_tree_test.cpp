#include "broker-core/topic/subscription_tree.hpp"

#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "filter_oracle.hpp"

namespace wake::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Subscriber session(std::uint32_t index) { return {Subscriber::Kind::Session, index, 0}; }
Subscriber entry(std::uint32_t index, std::uint32_t slot) { return {Subscriber::Kind::Entry, index, slot}; }
Subscriber shard(std::uint32_t index) { return {Subscriber::Kind::Shard, index, 0}; }

/// The indexes of the subscribers that a topic reaches, as many times as it reaches them.
std::vector<std::uint32_t> reached(const SubscriptionTree& tree, const std::string& topic) {
  std::vector<std::uint32_t> indexes;
  tree.match(topic, [&](const Subscriber& subscriber, const SubscriptionOptions&) {
    indexes.push_back(subscriber.index);
  });
  return indexes;
}

/// Does this filter, alone in a tree, match? And does it still when others force it to be split into
/// branches?
void expect_match(const std::string& filter, const std::string& topic, bool is_match) {
  SubscriptionTree alone;
  alone.add(filter, session(1), {});
  EXPECT_EQ(reached(alone, topic).size(), is_match ? 1u : 0u) << filter << " alone, for " << topic;

  for (const std::string& other : {filter + "/x", filter + "x", std::string("+/+/+/+"), std::string("#")}) {
    if (filter.ends_with('#') && other.starts_with(filter) && other != "#") continue;
    alone.add(other, session(2), {});
  }
  alone.add(filter, session(1), {});
  int hits = 0;
  for (const std::uint32_t index : reached(alone, topic)) hits += index == 1;
  EXPECT_EQ(hits, is_match ? 1 : 0) << filter << " among others, for " << topic;
}

TEST(SubscriptionTree, MatchesWhatTheSpecificationSays) {
  const std::tuple<const char*, const char*, bool> rows[] = {
      // v3.1.1 §4.7.1.2 and v5 §4.7.1.2: # is the parent and any number of children
      {"sport/tennis/player1/#", "sport/tennis/player1", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
      {"sport/tennis/player1/#", "sport/tennis/player2", false},
      {"sport/#", "sport", true},
      {"sport/#", "sports", false},
      {"#", "a", true},
      {"#", "/", true},
      // §4.7.1.3: + is exactly one level, even an empty one
      {"sport/tennis/+", "sport/tennis/player1", true},
      {"sport/tennis/+", "sport/tennis/player1/ranking", false},
      {"sport/+", "sport", false},
      {"sport/+", "sport/", true},
      {"+/+", "/finance", true},
      {"/+", "/finance", true},
      {"+", "/finance", false},
      {"+/tennis/#", "sport/tennis", true},
      {"+/#", "sport", true},
      {"sport/+/#", "sport", false},
      // §4.7.2: wildcards in front do not reach topics that begin with $
      {"#", "$SYS/monitor/Clients", false},
      {"+/monitor/Clients", "$SYS/monitor/Clients", false},
      {"+/#", "$SYS", false},
      {"$SYS/#", "$SYS/monitor/Clients", true},
      {"$SYS/#", "$SYS", true},
      {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
      {"a/#", "a/$b", true},
      {"a/+", "a/$b", true},
      // §4.7.3: every byte and every slash counts
      {"ACCOUNTS", "Accounts", false},
      {"/finance", "finance", false},
      {"a/b", "a/b", true},
      {"a/b", "a/b/", false},
      {"a//b", "a//b", true},
      {"a/+/b", "a//b", true},
  };
  for (const auto& [filter, topic, is_match] : rows) expect_match(filter, topic, is_match);
}

TEST(SubscriptionTree, VisitsEachMatchingFilterOfASubscriberWithItsOptions) {
  SubscriptionTree tree;
  tree.add("a/b", session(1), {.qos = Qos::AtMostOnce, .subscription_id = 10});
  tree.add("a/+", session(1), {.qos = Qos::ExactlyOnce, .no_local = true, .subscription_id = 268'435'455});
  std::vector<SubscriptionOptions> seen;
  tree.match("a/b", [&](const Subscriber& subscriber, const SubscriptionOptions& options) {
    EXPECT_EQ(subscriber, session(1));
    seen.push_back(options);
  });
  EXPECT_THAT(seen, UnorderedElementsAre(
                        SubscriptionOptions{.qos = Qos::AtMostOnce, .subscription_id = 10},
                        SubscriptionOptions{
                            .qos = Qos::ExactlyOnce, .no_local = true, .subscription_id = 268'435'455}));
}

TEST(SubscriptionTree, SubscribingAgainReplacesTheOptions) {
  for (const char* filter : {"a/b", "a/#", "+/b"}) {
    SubscriptionTree tree;
    EXPECT_FALSE(tree.add(filter, session(1), {.qos = Qos::AtMostOnce}).replaced);
    const auto added = tree.add(filter, session(1), {.qos = Qos::ExactlyOnce});
    EXPECT_TRUE(added.replaced) << filter;
    EXPECT_FALSE(added.is_first_local) << filter;
    EXPECT_EQ(tree.subscription_count(), 1u);
    tree.match("a/b", [&](const Subscriber&, const SubscriptionOptions& options) {
      EXPECT_EQ(options.qos, Qos::ExactlyOnce);
    });
  }
}

TEST(SubscriptionTree, InterestIsAnnouncedWithTheFirstLocalAndWithdrawnWithTheLast) {
  for (const char* filter : {"a/b", "a/#", "+/b"}) {
    SubscriptionTree tree;
    EXPECT_FALSE(tree.add(filter, shard(1), {}).is_first_local) << "another shard's interest is not ours";
    EXPECT_TRUE(tree.add(filter, session(1), {}).is_first_local);
    EXPECT_FALSE(tree.add(filter, entry(1, 0), {}).is_first_local);
    EXPECT_FALSE(tree.add(filter, session(1), {}).is_first_local);
    EXPECT_FALSE(tree.remove(filter, session(1)).was_last_local);
    EXPECT_FALSE(tree.remove(filter, shard(2)).removed);
    EXPECT_TRUE(tree.remove(filter, entry(1, 0)).was_last_local);
    const auto removed = tree.remove(filter, shard(1));
    EXPECT_TRUE(removed.removed);
    EXPECT_FALSE(removed.was_last_local) << "there was no local one to be the last";
  }
}

TEST(SubscriptionTree, SubscribersDifferInKindIndexAndSlot) {
  SubscriptionTree tree;
  tree.add("a", session(1), {});
  tree.add("a", entry(1, 0), {});
  tree.add("a", entry(1, 1), {});
  tree.add("a", shard(1), {});
  EXPECT_EQ(tree.subscription_count(), 4u);
  EXPECT_TRUE(tree.remove("a", entry(1, 0)).removed);
  EXPECT_FALSE(tree.remove("a", entry(1, 0)).removed);
  EXPECT_EQ(reached(tree, "a").size(), 3u);
}

TEST(SubscriptionTree, RemovingWhatIsNotThereChangesNothing) {
  SubscriptionTree tree;
  EXPECT_FALSE(tree.remove("a/+", session(1)).removed);
  tree.add("a/+/c", session(1), {});
  for (const char* filter : {"a/+", "a/+/#", "a/+/d", "a", "#", "+/+/c", "a/+/c/d"}) {
    EXPECT_FALSE(tree.remove(filter, session(1)).removed) << filter;
  }
  EXPECT_FALSE(tree.remove("a/+/c", session(2)).removed);
  EXPECT_THAT(reached(tree, "a/b/c"), ElementsAre(1));
}

TEST(SubscriptionTree, EmptyBranchesAreRemoved) {
  SubscriptionTree tree;
  const std::vector<std::string> filters = {"a/+", "a/+/b/c/#",   "a/+/b/c/+", "a/+/b",
                                            "#",   "+/+/+/+/+/+", "+/+/+/+/#"};
  for (const std::string& filter : filters) tree.add(filter, session(1), {});
  EXPECT_GT(tree.branch_count(), 3u);
  for (const std::string& filter : filters) EXPECT_TRUE(tree.remove(filter, session(1)).removed) << filter;
  EXPECT_EQ(tree.branch_count(), 0u);
  EXPECT_EQ(tree.filter_count(), 0u);
  EXPECT_THAT(reached(tree, "a/b"), IsEmpty());
}

TEST(SubscriptionTree, AHundredThousandSubscribersOfOneFilterComeAndGoQuickly) {
  constexpr std::uint32_t kCount = 100'000;  // quadratic work here would outlast the test's time limit
  SubscriptionTree tree;
  for (std::uint32_t index = 0; index < kCount; ++index) tree.add("news/#", session(index), {});
  for (std::uint32_t index = 0; index < kCount; ++index) {
    EXPECT_TRUE(tree.add("news/#", session(index), {}).replaced);
  }
  for (std::uint32_t index = 0; index < kCount; index += 2) tree.remove("news/#", session(index));
  const std::vector<std::uint32_t> left = reached(tree, "news/today");
  EXPECT_EQ(std::set<std::uint32_t>(left.begin(), left.end()).size(), kCount / 2);
  EXPECT_EQ(left.size(), kCount / 2);
  for (std::uint32_t index = 1; index + 2 < kCount; index += 2) tree.remove("news/#", session(index));
  EXPECT_TRUE(tree.remove("news/#", session(kCount - 1)).was_last_local);
  EXPECT_EQ(tree.subscription_count(), 0u);
}

std::string levels(std::size_t count, const std::string& level) {
  std::string text = level;
  for (std::size_t at = 1; at < count; ++at) text += "/" + level;
  return text;
}

TEST(SubscriptionTree, TakesFiltersUpToItsDeepestLevelAndRefusesDeeperOnes) {
  SubscriptionTree tree;
  // Both ways open at every level: as many places put aside as there can be.
  for (std::size_t at = 0; at < SubscriptionTree::kMaxLevels; ++at) {
    std::string filter = levels(SubscriptionTree::kMaxLevels, "+");
    filter[2 * at] = 'a';
    tree.add(filter, session(1), {});
    tree.add(levels(SubscriptionTree::kMaxLevels, "a").substr(0, 2 * at) + "+", session(2), {});
  }
  EXPECT_EQ(reached(tree, levels(SubscriptionTree::kMaxLevels, "a")).size(),
            SubscriptionTree::kMaxLevels + 1);
  const std::size_t before = tree.filter_count();
  EXPECT_THROW(tree.add(levels(SubscriptionTree::kMaxLevels + 1, "+"), session(1), {}), std::length_error);
  EXPECT_EQ(tree.filter_count(), before);
}

TEST(SubscriptionTree, LongTextsAndAnySeedAreFound) {
  const std::string long_level(60'000, 'x');
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    SubscriptionTree tree(seed);
    for (std::size_t bytes = 1; bytes < 70; ++bytes) tree.add(long_level.substr(0, bytes), session(1), {});
    tree.add(long_level + "/a", session(2), {});
    tree.add(long_level + "/+", session(3), {});
    EXPECT_EQ(tree.filter_count(), 71u);
    for (std::size_t bytes = 1; bytes < 70; ++bytes) {
      EXPECT_THAT(reached(tree, long_level.substr(0, bytes)), ElementsAre(1));
    }
    EXPECT_THAT(reached(tree, long_level + "/a"), UnorderedElementsAre(2, 3));
  }
}

/// Adds, removes and matches at random, beside a list of (filter, subscriber) asked by the slow oracle.
TEST(SubscriptionTree, AgreesWithTheOracleThroughManyChanges) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    oracle::Texts texts(seed);
    SubscriptionTree tree(seed);
    std::map<std::string, std::set<std::uint32_t>> naive;
    std::size_t naive_count = 0;
    const unsigned subscriber_count = seed % 2 ? 3 : 80;  // beyond the list's index in every other round
    for (int round = 0; round < 1500; ++round) {
      const std::string filter = texts.filter();
      const std::uint32_t who = texts.below(subscriber_count);
      if (texts.below(100) < (round < 1000 ? 60u : 20u)) {
        const bool is_new = naive[filter].insert(who).second;
        const auto added = tree.add(filter, session(who), {});
        ASSERT_EQ(added.replaced, !is_new) << filter;
        ASSERT_EQ(added.is_first_local, is_new && naive[filter].size() == 1) << filter;
        naive_count += is_new;
      } else {
        const bool was_there = naive.contains(filter) && naive[filter].erase(who) > 0;
        const bool was_last = was_there && naive[filter].empty();
        if (was_last) naive.erase(filter);
        const auto removed = tree.remove(filter, session(who));
        ASSERT_EQ(removed.removed, was_there) << filter;
        ASSERT_EQ(removed.was_last_local, was_last) << filter;
        naive_count -= was_there;
      }
      const std::string topic = texts.topic();
      std::vector<std::uint32_t> expected;
      for (const auto& [candidate, subscribers] : naive) {
        if (oracle::matches(candidate, topic))
          expected.insert(expected.end(), subscribers.begin(), subscribers.end());
      }
      std::vector<std::uint32_t> actual = reached(tree, topic);
      std::sort(expected.begin(), expected.end());
      std::sort(actual.begin(), actual.end());
      ASSERT_EQ(actual, expected) << "seed " << seed << ", round " << round << ", topic " << topic;
      ASSERT_EQ(tree.subscription_count(), naive_count);
    }
    for (const auto& [filter, subscribers] : naive) {
      for (const std::uint32_t who : subscribers) ASSERT_TRUE(tree.remove(filter, session(who)).removed);
    }
    ASSERT_EQ(tree.filter_count() + tree.branch_count() + tree.subscription_count(), 0u);
  }
}

}  // namespace
}  // namespace wake::broker
