#include "broker-core/access/rule_pattern.hpp"

#include <gtest/gtest.h>

namespace wake::broker {
namespace {

std::string fill(std::string_view pattern, std::string_view user = "ann", std::string_view client = "app1") {
  return fill_in_rule(pattern, user, client).value_or("nothing");
}

TEST(RulePattern, TakesTheNames) {
  EXPECT_EQ(fill("home/%u/#"), "home/ann/#");
  EXPECT_EQ(fill("%c/%u/%c"), "app1/ann/app1");
  EXPECT_EQ(fill("news/+"), "news/+");
}

TEST(RulePattern, LeavesOtherPercentSignsAlone) {
  EXPECT_EQ(fill("a/%/b%d/%%u"), "a/%/b%d/%ann");
  EXPECT_EQ(fill("a/%"), "a/%");
}

TEST(RulePattern, ANameThatIsAPatternGivesNothing) {
  for (const char* name : {"+", "#", "a/b", "a+", "", "\x01"}) {
    EXPECT_EQ(fill("home/%u/#", name), "nothing") << name;
    EXPECT_EQ(fill("home/%c/#", "ann", name), "nothing") << name;
  }
  EXPECT_EQ(fill("home/#", "+", "#"), "home/#") << "which it does not name";
}

TEST(RulePattern, WhatIsNotInTheNamesIsNotPutInTwice) { EXPECT_EQ(fill("x/%u", "%c"), "x/%c"); }

TEST(RulePattern, MustComeOutAsAFilter) {
  EXPECT_EQ(fill("a/#/%u"), "nothing");
  EXPECT_EQ(fill("a%u+"), "nothing");
  EXPECT_EQ(fill(""), "nothing");
}

}  // namespace
}  // namespace wake::broker
