#include "db/registry_change.hpp"

#include <gtest/gtest.h>

namespace wake::db {
namespace {

using What = RegistryChange::What;
using Kind = broker::Principal::Kind;

TEST(RegistryChange, ReadsEveryWordOfTheTriggers) {
  EXPECT_EQ(parse_registry_change("user:42"), (RegistryChange{What::User, Kind::User, "42"}));
  EXPECT_EQ(parse_registry_change("alerts:42"), (RegistryChange{What::Alerts, Kind::User, "42"}));
  EXPECT_EQ(parse_registry_change("login:user:42"), (RegistryChange{What::Login, Kind::User, "42"}));
  EXPECT_EQ(parse_registry_change("login:device:a:b"), (RegistryChange{What::Login, Kind::Device, "a:b"}));
  EXPECT_EQ(parse_registry_change("login:service:7"), (RegistryChange{What::Login, Kind::Service, "7"}));
  EXPECT_EQ(parse_registry_change("rules:user:ann"), (RegistryChange{What::Rules, Kind::User, "ann"}));
  EXPECT_EQ(parse_registry_change("rules:device:"), (RegistryChange{What::Rules, Kind::Device, ""}));
  EXPECT_EQ(parse_registry_change("token:42:7"), (RegistryChange{What::Token, Kind::User, "42", 7}));
  EXPECT_EQ(parse_registry_change("rules:all:x:y"), (RegistryChange{What::Rules, std::nullopt, "x:y"}));
}

TEST(RegistryChange, KnowsNothingOfOtherWords) {
  for (const char* notice : {"",
                             "user",
                             "user:",
                             "user:ann",
                             "user:1x",
                             "login",
                             "login:",
                             "login:device:",
                             "login:all:x",
                             "login:cat:x",
                             "token",
                             "token:42",
                             "token:42:",
                             "token:x:1",
                             "token:42:x",
                             "token:42:7:1",
                             "token:42:0",
                             "rules",
                             "rules:cat:x",
                             "phone:1"}) {
    EXPECT_EQ(parse_registry_change(notice), std::nullopt) << notice;
  }
}

TEST(RegistryChange, RulesConcernThoseOfTheirSubjectAndName) {
  const broker::Principal ann{Kind::User, "1", "ann"};
  const broker::Principal cam{Kind::Device, "CAM1", "CAM1"};
  const broker::Principal shop{Kind::Service, "3", "api-key"};
  const auto concerns = [](const char* notice, const broker::Principal& principal) {
    return parse_registry_change(notice)->concerns(principal);
  };
  EXPECT_TRUE(concerns("rules:user:ann", ann));
  EXPECT_TRUE(concerns("rules:user:", ann));
  EXPECT_FALSE(concerns("rules:user:bob", ann));
  EXPECT_FALSE(concerns("rules:device:ann", ann));
  EXPECT_TRUE(concerns("rules:all:", cam));
  EXPECT_TRUE(concerns("rules:all:CAM1", cam));
  EXPECT_FALSE(concerns("rules:all:CAM2", cam));
  EXPECT_TRUE(concerns("rules:service:shop", shop))
      << "by the key's name, which the principal does not carry";
}

}  // namespace
}  // namespace wake::db
