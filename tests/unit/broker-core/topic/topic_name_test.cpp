#include "broker-core/topic/topic_name.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace wake::broker {
namespace {

constexpr std::size_t kLevels = 8;

std::vector<std::string> levels_of(std::string_view text) {
  std::vector<std::string> levels;
  for_each_level(text, [&](std::string_view level) { levels.emplace_back(level); });
  return levels;
}

TEST(Levels, AreWhatStandsBetweenSlashes) {
  EXPECT_EQ(levels_of("a/b/c"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(levels_of("/a//b/"), (std::vector<std::string>{"", "a", "", "b", ""}));
  EXPECT_EQ(levels_of("a"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(levels_of("/"), (std::vector<std::string>{"", ""}));
  EXPECT_EQ(levels_of(""), (std::vector<std::string>{""}));
}

TEST(Levels, KnowTheLastOne) {
  const LevelRange levels("a/b");
  auto level = levels.begin();
  EXPECT_FALSE(level.is_last());
  ++level;
  EXPECT_TRUE(level.is_last());
  EXPECT_EQ(*level, "b");
  level++;
  EXPECT_EQ(level, levels.end());
}

TEST(Levels, AreCountedAsTheyAreWalked) {
  for (const char* text : {"", "a", "/", "a/b", "/a/b/"})
    EXPECT_EQ(level_count(text), levels_of(text).size()) << text;
}

TEST(TopicName, AcceptsAnyTextOfLevels) {
  for (const char* topic :
       {"a", "/", "/a", "a//b", "zavio/ipcam/motion", "$SYS/broker", "门/口", "with space", "\xEF\xBB\xBF"}) {
    EXPECT_TRUE(is_valid_topic_name(topic, kLevels)) << topic;
  }
}

TEST(TopicName, RefusesWildcardsEmptinessAndControls) {  // v5 [MQTT-3.3.2-2], [MQTT-4.7.3-1], [MQTT-4.7.3-2]
  for (const std::string topic :
       {"", "a/+", "#", "a+b", "a#", "a\x01", "a\x1F", "a\x7F", "a\xC2\x80", "a\xC2\x9F", "\xED\xA0\x80"}) {
    EXPECT_FALSE(is_valid_topic_name(topic, kLevels)) << topic;
  }
  EXPECT_FALSE(is_valid_topic_name(std::string_view("a\0b", 3), kLevels));
  EXPECT_TRUE(is_valid_topic_name("a\xC2\xA0", kLevels));     // U+00A0, one above the controls
  EXPECT_TRUE(is_valid_topic_name("\xE4\x80\x80", kLevels));  // tail bytes are no controls
}

/// A text is looked at eight bytes at a time, and what is left over byte by byte: wherever a byte stands, it
/// means the same.
TEST(TopicName, LooksAtEveryByteAlikeWhereverItStands) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    const bool is_valid = is_valid_topic_name("a" + one, kLevels);
    for (std::size_t at = 0; at < 18; ++at) {
      const std::string text = std::string(at, 'a') + one + std::string(17 - at, 'a');
      EXPECT_EQ(is_valid_topic_name(text, kLevels), is_valid) << byte << " at " << at;
    }
  }
}

TEST(TopicName, CountsLevelsWhateverTheLength) {
  for (std::size_t levels = 1; levels < 40; ++levels) {
    std::string topic = "a";
    for (std::size_t i = 1; i < levels; ++i) topic += i % 3 == 0 ? "/" : "/bc";
    EXPECT_TRUE(is_valid_topic_name(topic, levels)) << topic;
    if (levels == 1) continue;
    EXPECT_FALSE(is_valid_topic_name(topic, levels - 1)) << topic;
  }
}

TEST(TopicName, HoldsBytesUpToTheLimit) {
  EXPECT_TRUE(is_valid_topic_name(std::string(kMaxTopicBytes - 1, 'a'), kLevels));
  EXPECT_TRUE(is_valid_topic_name(std::string(kMaxTopicBytes, 'a'), kLevels));
  EXPECT_FALSE(is_valid_topic_name(std::string(kMaxTopicBytes + 1, 'a'), kLevels));
}

TEST(TopicName, HoldsLevelsUpToTheLimit) {
  EXPECT_TRUE(is_valid_topic_name("a/b", 3));
  EXPECT_TRUE(is_valid_topic_name("a/b/c", 3));
  EXPECT_FALSE(is_valid_topic_name("a/b/c/d", 3));
}

TEST(TopicFilter, AcceptsWildcardsThatFillALevel) {  // v5 §4.7.1
  for (const char* filter : {"#", "+", "a/#", "/#", "+/+/#", "a/+/b", "/+", "a", "$SYS/#"}) {
    EXPECT_TRUE(is_valid_topic_filter(filter, kLevels)) << filter;
  }
}

TEST(TopicFilter, RefusesWildcardsInTheWrongPlace) {  // v5 [MQTT-4.7.1-1], [MQTT-4.7.1-2]
  for (const char* filter : {"", "#/a", "a/#/b", "a#", "a/b#", "a+", "+a", "a/+b", "##", "++", "a\x01"}) {
    EXPECT_FALSE(is_valid_topic_filter(filter, kLevels)) << filter;
  }
}

TEST(TopicFilter, SharedOnesHaveANameAndAFilter) {  // v5 [MQTT-4.8.2-1], [MQTT-4.8.2-2]
  EXPECT_EQ(parse_shared("$share/g/a/+"), (SharedFilter{"g", "a/+"}));
  EXPECT_EQ(parse_shared("$share/g//a"), (SharedFilter{"g", "/a"}));
  EXPECT_FALSE(parse_shared("a/b"));
  EXPECT_FALSE(parse_shared("$SHARE/g/a"));
  EXPECT_TRUE(is_valid_topic_filter("$share/g/#", kLevels));
  for (const char* filter : {"$share/", "$share/g", "$share/g/", "$share//a", "$share/+/a", "$share/#/a",
                             "$share/g+/a", "$share/g/#/a"}) {
    EXPECT_FALSE(is_valid_topic_filter(filter, kLevels)) << filter;
  }
}

TEST(TopicFilter, SharePrefixIsNoLevel) {
  EXPECT_TRUE(is_valid_topic_filter("$share/g/a/b", 2));
  EXPECT_FALSE(is_valid_topic_filter("$share/g/a/b/c", 2));
}

struct MatchRow {
  const char* filter;
  const char* topic;
  bool is_match;
};

TEST(Matches, AsTheSpecificationsExamplesSay) {  // v5 §4.7.1.2, §4.7.1.3, §4.7.2, §4.7.3
  for (const MatchRow& row : {
           MatchRow{"sport/tennis/player1/#", "sport/tennis/player1", true},
           {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
           {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
           {"sport/tennis/player1/#", "sport/tennis/player10", false},
           {"sport/#", "sport", true},
           {"#", "a/b", true},
           {"#", "/", true},
           {"sport/tennis/+", "sport/tennis/player1", true},
           {"sport/tennis/+", "sport/tennis/player1/ranking", false},
           {"sport/+", "sport", false},
           {"sport/+", "sport/", true},
           {"+/+", "/finance", true},
           {"/+", "/finance", true},
           {"+", "/finance", false},
           {"+/b/#", "a/b", true},
           {"+/b/#", "a/c", false},
           {"a/b", "a/b", true},
           {"a/b", "a/b/", false},
           {"a/b/", "a/b", false},
           {"a", "A", false},
           {"ab", "a", false},
           {"a", "ab", false},
       }) {
    EXPECT_EQ(matches(row.filter, row.topic), row.is_match) << row.filter << " ~ " << row.topic;
  }
}

TEST(Matches, LeadingWildcardDoesNotSelectDollarTopics) {  // v3.1.1 and v5 [MQTT-4.7.2-1]
  EXPECT_FALSE(matches("#", "$SYS/broker"));
  EXPECT_FALSE(matches("+/broker", "$SYS/broker"));
  EXPECT_FALSE(matches("+", "$SYS"));
  EXPECT_TRUE(matches("$SYS/#", "$SYS/broker"));
  EXPECT_TRUE(matches("$SYS/+", "$SYS/broker"));
  EXPECT_TRUE(matches("a/+", "a/$b"));
}

TEST(Id, IsWhatAFilterCanHold) {
  for (const char* id : {"phone-1", "a b", "电话", "$x"}) EXPECT_TRUE(is_id_allowed(id)) << id;
  for (const char* id : {"", "a/b", "a+", "#", "a\n", "\x7F", "\xC2\x85", "\xFF"})
    EXPECT_FALSE(is_id_allowed(id)) << id;
}

TEST(Id, HoldsBytesUpToTheLimit) {
  EXPECT_TRUE(is_id_allowed(std::string(kMaxIdBytes - 1, 'a')));
  EXPECT_TRUE(is_id_allowed(std::string(kMaxIdBytes, 'a')));
  EXPECT_FALSE(is_id_allowed(std::string(kMaxIdBytes + 1, 'a')));
}

}  // namespace
}  // namespace wake::broker
