#include "broker-core/bridge/topic.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wake::broker {
namespace {

using Direction = BridgeTopic::Direction;
using ::testing::HasSubstr;

BridgeTopic topic(std::string_view line) {
  auto parsed = parse_bridge_topic(line);
  if (const auto* wrong = std::get_if<std::string>(&parsed)) {
    ADD_FAILURE() << line << ": expected " << *wrong;
    return {};
  }
  return std::get<BridgeTopic>(parsed);
}

TEST(BridgeTopic, ReadsMosquittosLines) {
  EXPECT_EQ(topic("#"), (BridgeTopic{"#", Direction::Out, Qos::AtMostOnce, "", ""}));
  EXPECT_EQ(topic("a/+ in"), (BridgeTopic{"a/+", Direction::In, Qos::AtMostOnce, "", ""}));
  EXPECT_EQ(topic("a/# both 2"), (BridgeTopic{"a/#", Direction::Both, Qos::ExactlyOnce, "", ""}));
  EXPECT_EQ(topic("# out 1 home/"), (BridgeTopic{"#", Direction::Out, Qos::AtLeastOnce, "home/", ""}));
  EXPECT_EQ(topic(" #  both\t1 \"\" site/7/ "),
            (BridgeTopic{"#", Direction::Both, Qos::AtLeastOnce, "", "site/7/"}));
  EXPECT_EQ(topic("\"\" both 1 here there"),
            (BridgeTopic{"", Direction::Both, Qos::AtLeastOnce, "here", "there"}));
  EXPECT_EQ(topic("broker/# in 0 far/ $SYS/"),
            (BridgeTopic{"broker/#", Direction::In, Qos::AtMostOnce, "far/", "$SYS/"}));
}

TEST(BridgeTopic, SaysWhatIsWrongWithALine) {
  const auto wrong = [](std::string_view line) {
    const auto parsed = parse_bridge_topic(line);
    return std::holds_alternative<std::string>(parsed) ? std::get<std::string>(parsed)
                                                       : std::string("nothing");
  };
  EXPECT_THAT(wrong(""), HasSubstr("a pattern"));
  EXPECT_THAT(wrong("# up"), HasSubstr("out, in or both, not \"up\""));
  EXPECT_THAT(wrong("# out 3"), HasSubstr("0, 1 or 2, not \"3\""));
  EXPECT_THAT(wrong("# out 11"), HasSubstr("0, 1 or 2"));
  EXPECT_THAT(wrong("# out 1 a b c"), HasSubstr("five words"));
  EXPECT_THAT(wrong("a/#/b"), HasSubstr("topic filter, not \"a/#/b\""));
  EXPECT_THAT(wrong("# out 1 a"), HasSubstr("topic filter, not \"a#\""));
  EXPECT_THAT(wrong("b out 1 +/"), HasSubstr("without wildcards"));
  EXPECT_THAT(wrong("\"\" out 1 here"), HasSubstr("both prefixes"));
  EXPECT_THAT(wrong("$share/g/a in"), HasSubstr("topic filter"));
  EXPECT_THAT(wrong("broker/# in 0 $SYS/ far/"), HasSubstr("does not begin with $"));
}

TEST(BridgeTopic, RenamesByTheFirstLineThatMatchesAndGoesThatWay) {
  const std::vector<BridgeTopic> topics{topic("a/# out 1 home/ far/home/"),
                                        topic("# in 1 from/far/ to/home/"), topic("\"\" both 1 one two"),
                                        topic("b both 1")};
  EXPECT_EQ(to_remote(topics, "home/a/x"), "far/home/a/x");
  EXPECT_EQ(to_remote(topics, "home/a"), "far/home/a");
  EXPECT_EQ(to_remote(topics, "home/b"), std::nullopt);
  EXPECT_EQ(to_remote(topics, "a/x"), std::nullopt);
  EXPECT_EQ(to_remote(topics, "from/far/x"), std::nullopt);
  EXPECT_EQ(to_local(topics, "to/home/x/y"), "from/far/x/y");
  EXPECT_EQ(to_local(topics, "far/home/a/x"), std::nullopt);
  EXPECT_EQ(to_remote(topics, "one"), "two");
  EXPECT_EQ(to_local(topics, "two"), "one");
  EXPECT_EQ(to_local(topics, "b"), "b");
  EXPECT_EQ(to_local(topics, "two/x"), std::nullopt);
}

TEST(BridgeTopic, WildcardsDoNotReachSysTopics) {
  EXPECT_EQ(to_local(std::vector{topic("# in 0 far/")}, "$SYS/broker/uptime"), std::nullopt);
  EXPECT_EQ(to_local(std::vector{topic("broker/# in 0 far/ $SYS/")}, "$SYS/broker/uptime"),
            "far/broker/uptime");
}

}  // namespace
}  // namespace wake::broker
