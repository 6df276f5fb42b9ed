#include "broker-core/topic/retained_tree.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "filter_oracle.hpp"

namespace wake::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Tree = RetainedTree<int>;

std::vector<std::string> matched(const Tree& tree, const std::string& filter, std::size_t limit = 1000) {
  std::vector<std::string> topics;
  std::string cursor;
  const auto note = [&](std::string_view topic, int) { topics.emplace_back(topic); };
  for (int slices = 0; !tree.match(filter, cursor, limit, note); ++slices) {
    EXPECT_LT(slices, 100'000);
    if (slices == 100'000) break;
  }
  return topics;
}

TEST(RetainedTree, ALaterMessageReplacesTheOneOfItsTopic) {
  Tree tree;
  EXPECT_TRUE(tree.set("a/b", 1));
  EXPECT_FALSE(tree.set("a/b", 2));
  EXPECT_EQ(tree.size(), 1u);
  ASSERT_NE(tree.find("a/b"), nullptr);
  EXPECT_EQ(*tree.find("a/b"), 2);
  EXPECT_TRUE(tree.erase("a/b"));
  EXPECT_FALSE(tree.erase("a/b"));
  EXPECT_EQ(tree.find("a/b"), nullptr);
}

TEST(RetainedTree, WalksParentsBeforeChildrenAndSubtreesWhole) {
  Tree tree;
  for (const char* topic : {"a b", "b", "a", "a/b/c", "a/b", "/a", "a-/x", "a/"}) tree.set(topic, 0);
  EXPECT_THAT(matched(tree, "#"), ElementsAre("/a", "a", "a/", "a/b", "a/b/c", "a b", "a-/x", "b"));
  EXPECT_THAT(matched(tree, "a/#"), ElementsAre("a", "a/", "a/b", "a/b/c"));
  EXPECT_THAT(matched(tree, "+"), ElementsAre("a", "a b", "b"));
  EXPECT_THAT(matched(tree, "+/+"), ElementsAre("/a", "a/", "a/b", "a-/x"));
  EXPECT_THAT(matched(tree, "a/b"), ElementsAre("a/b"));
  EXPECT_THAT(matched(tree, "a/c"), IsEmpty());
}

TEST(RetainedTree, LeadingWildcardsPassOverDollarTopics) {
  Tree tree;
  for (const char* topic : {"$SYS/a", "$SYS/b/c", "#a", "%a", "a/$b"}) tree.set(topic, 0);
  EXPECT_THAT(matched(tree, "#"), ElementsAre("#a", "%a", "a/$b"));
  EXPECT_THAT(matched(tree, "+/a"), IsEmpty());
  EXPECT_THAT(matched(tree, "+/#"), ElementsAre("#a", "%a", "a/$b"));
  EXPECT_THAT(matched(tree, "$SYS/#"), ElementsAre("$SYS/a", "$SYS/b/c"));
}

TEST(RetainedTree, ASliceTakesNoMoreStepsThanItsLimit) {
  Tree tree;
  for (int at = 0; at < 1000; ++at) tree.set("room/" + std::to_string(at) + "/temperature", at);
  std::string cursor;
  int visits = 0;
  int slices = 1;
  while (!tree.match("room/+/temperature", cursor, 10, [&](std::string_view, int) { ++visits; })) {
    EXPECT_LE(visits, slices * 10);
    ++slices;
  }
  EXPECT_EQ(visits, 1000);
  EXPECT_GE(slices, 100);
}

TEST(RetainedTree, AFilterWithoutMatchesLeapsInsteadOfReadingAll) {
  Tree tree;
  for (int at = 0; at < 1000; ++at) tree.set("room/" + std::to_string(at), at);
  tree.set("zoo/x", 1);
  std::string cursor;
  std::vector<std::string> topics;
  const auto note = [&](std::string_view topic, int) { topics.emplace_back(topic); };
  EXPECT_TRUE(tree.match("+/x", cursor, 5, note)) << "one leap per first level, not one step per topic";
  EXPECT_THAT(topics, ElementsAre("zoo/x"));
}

TEST(RetainedTree, AgreesWithTheOracleWhateverTheSlice) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    oracle::Texts texts(seed);
    Tree tree;
    std::set<std::string> naive;
    for (int at = 0; at < 150; ++at) {
      const std::string topic = texts.topic();
      naive.insert(topic);
      tree.set(topic, at);
    }
    for (int round = 0; round < 200; ++round) {
      const std::string filter = texts.filter();
      std::set<std::string> expected;
      for (const std::string& topic : naive) {
        if (oracle::matches(filter, topic)) expected.insert(topic);
      }
      const std::vector<std::string> topics = matched(tree, filter, 1 + texts.below(7));
      ASSERT_EQ(topics.size(), expected.size()) << filter << ", seed " << seed;
      ASSERT_EQ(std::set<std::string>(topics.begin(), topics.end()), expected) << filter << ", seed " << seed;
    }
  }
}

/// Between slices topics come and go, the one at the cursor among them.
TEST(RetainedTree, WhatIsPresentThroughoutIsVisitedOnceWhateverChangesBetweenSlices) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    oracle::Texts texts(seed);
    Tree tree;
    std::set<std::string> present;
    for (int at = 0; at < 100; ++at) {
      const std::string topic = texts.topic();
      tree.set(topic, 0);
      present.insert(topic);
    }
    std::set<std::string> throughout = present;
    const std::string filter = seed % 2 ? "#" : texts.filter();
    std::map<std::string, int> visits;
    std::string cursor;
    const auto note = [&](std::string_view topic, int) {
      ++visits[std::string(topic)];
      EXPECT_TRUE(present.contains(std::string(topic)));
    };
    while (!tree.match(filter, cursor, 1 + texts.below(4), note)) {
      if (texts.below(2) && present.contains(cursor)) {
        tree.erase(cursor);
        present.erase(cursor);
        throughout.erase(cursor);
      }
      for (int change = 0; change < 3; ++change) {
        const std::string topic = texts.topic();
        if (texts.below(2)) {
          tree.set(topic, 1);
          present.insert(topic);
        } else {
          tree.erase(topic);
          present.erase(topic);
          throughout.erase(topic);
        }
      }
      ASSERT_EQ(tree.size(), present.size());
    }
    for (const std::string& topic : throughout) {
      const bool is_match = oracle::matches(filter, topic);
      ASSERT_EQ(visits[topic], is_match ? 1 : 0) << topic << " for " << filter << ", seed " << seed;
    }
    for (const auto& [topic, count] : visits) ASSERT_LE(count, 1) << topic << ", seed " << seed;
  }
}

}  // namespace
}  // namespace wake::broker
