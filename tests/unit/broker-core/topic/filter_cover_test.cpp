#include "broker-core/topic/filter_cover.hpp"

#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "filter_oracle.hpp"

namespace wake::broker {
namespace {

TEST(Covers, SaysWhetherEveryTopicOfOneFilterIsInTheOther) {
  const std::tuple<const char*, const char*, bool> rows[] = {
      {"a/b", "a/b", true},     {"a/b", "a/c", false},    {"a/+", "a/b", true},
      {"a/b", "a/+", false},    {"a/+", "a/+", true},     {"a/+", "a/#", false},
      {"a/#", "a/+", true},     {"a/#", "a", true},       {"a/#", "a/#", true},
      {"a/#", "a/+/b/#", true}, {"a/+/#", "a/#", false},  {"a/+/#", "a/b", true},
      {"#", "a/+/#", true},     {"#", "#", true},         {"+/#", "#", true},
      {"#", "+/#", true},       {"+", "#", false},        {"+/+", "+/b", true},
      {"a", "a/b", false},      {"a/b", "a", false},      {"a", "a/#", false},
      {"#", "$SYS/#", false},   {"+/a", "$SYS/a", false}, {"$SYS/#", "$SYS/a/+", true},
      {"$SYS/#", "#", false},   {"$SYS/+", "+/a", false}, {"a/#", "a/$b", true},
      {"+/b", "/b", true},      {"a/+", "a/", true},
  };
  for (const auto& [wider, narrower, is_covered] : rows) {
    EXPECT_EQ(covers(wider, narrower), is_covered) << wider << " over " << narrower;
  }
}

TEST(Covers, ATopicIsAFilterThatMatchesItself) {
  oracle::Texts texts(7);
  int match_count = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::string filter = texts.filter();
    const std::string topic = texts.topic();
    const bool is_match = oracle::matches(filter, topic);
    match_count += is_match;
    ASSERT_EQ(covers(filter, topic), is_match) << filter << " for " << topic;
  }
  EXPECT_GT(match_count, 1000);
}

/// All topics of up to five levels over two letters, $S in front, and a level that no filter names: enough to
/// tell apart any two filters of up to four levels over the same letters.
std::vector<oracle::Levels> all_topics() {
  const std::vector<std::string> letters = {"a", "b", "other", "$S"};
  std::vector<oracle::Levels> topics;
  std::vector<oracle::Levels> longest = {{}};
  for (int level_count = 1; level_count <= 5; ++level_count) {
    std::vector<oracle::Levels> longer;
    for (const oracle::Levels& topic : longest) {
      for (const std::string& letter : letters) {
        longer.push_back(topic);
        longer.back().push_back(letter);
      }
    }
    topics.insert(topics.end(), longer.begin(), longer.end());
    longest = std::move(longer);
  }
  return topics;
}

std::string random_filter(oracle::Texts& texts) {
  static const char* const kLevels[] = {"a", "b", "+", "+"};
  const unsigned level_count = 1 + texts.below(4);
  std::string filter = texts.below(6) == 0 ? "$S" : texts.below(8) == 0 ? "#" : kLevels[texts.below(4)];
  for (unsigned level = 1; level < level_count && filter != "#"; ++level) {
    if (texts.below(4) == 0) return filter + "/#";
    filter += std::string("/") + kLevels[texts.below(4)];
  }
  return filter;
}

TEST(Covers, AgreesWithTheOracleOverAllSmallTopics) {
  const std::vector<oracle::Levels> topics = all_topics();
  oracle::Texts texts(11);
  int covered_count = 0;
  for (int round = 0; round < 4000; ++round) {
    const std::string wider = random_filter(texts);
    const std::string narrower = random_filter(texts);
    const oracle::Levels wide = oracle::split(wider);
    const oracle::Levels narrow = oracle::split(narrower);
    bool is_covered = true;
    for (const oracle::Levels& topic : topics) {
      if (oracle::matches(narrow, topic) && !oracle::matches(wide, topic)) is_covered = false;
      if (!is_covered) break;
    }
    covered_count += is_covered;
    ASSERT_EQ(covers(wider, narrower), is_covered) << wider << " over " << narrower;
  }
  EXPECT_GT(covered_count, 200);
}

}  // namespace
}  // namespace wake::broker
