#include "gateway/bridge/logins.hpp"

#include <gtest/gtest.h>

namespace wake::gateway {
namespace {

using LoginVerdict = broker::AuthOutcome::Kind;

class BridgeLoginsTest : public testing::Test {
 protected:
  static std::vector<config::BridgeOptions> bridges() {
    config::BridgeOptions bridge;
    bridge.name = "far";
    bridge.topics = {"# out 1 home/", "in/# in 1 from/", "both both 1"};
    config::BridgeOptions sys;
    sys.name = "sys";
    sys.topics = {"broker/# out 0 $SYS/ far/"};
    return {bridge, sys};
  }
  broker::AuthOutcome judge(const std::string& client_id, const std::string& password) const {
    broker::Authenticate question;
    question.client_id = {client_id};
    question.password = password;
    return logins_.judge(question).value();
  }
  std::string password() const { return std::string(logins_.password().reveal()); }

  BridgeLogins logins_{bridges()};
};

TEST_F(BridgeLoginsTest, LetsABridgeInWithItsTopicsAsPermission) {
  const auto outcome = judge("bridge:far", password());
  EXPECT_EQ(outcome.kind, LoginVerdict::Allowed);
  EXPECT_EQ(outcome.principal.kind, broker::Principal::Kind::Service);
  EXPECT_TRUE(outcome.grants.may_subscribe("home/#"));
  EXPECT_TRUE(outcome.grants.may_subscribe("both"));
  EXPECT_FALSE(outcome.grants.may_subscribe("from/in/#"));
  EXPECT_TRUE(outcome.grants.may_publish("from/in/x"));
  EXPECT_TRUE(outcome.grants.may_publish("both"));
  EXPECT_FALSE(outcome.grants.may_publish("home/x"));
  EXPECT_FALSE(outcome.grants.may_subscribe("$SYS/#"));
}

TEST_F(BridgeLoginsTest, LetsABridgeReadSysTopicsOnlyWhereItsTopicsNameThem) {
  EXPECT_TRUE(judge("bridge:sys", password()).grants.may_subscribe("$SYS/broker/#"));
}

TEST_F(BridgeLoginsTest, RefusesEverybodyElseWhoClaimsToBeABridge) {
  EXPECT_EQ(judge("bridge:far", "guess").kind, LoginVerdict::Refused);
  EXPECT_EQ(judge("bridge:far", "").kind, LoginVerdict::Refused);
  EXPECT_EQ(judge("bridge:other", password()).kind, LoginVerdict::Refused);
  EXPECT_FALSE(logins_.judge(broker::Authenticate{.client_id = {"bridge"}}).has_value());
}

TEST_F(BridgeLoginsTest, KnowsSessionsThatNobodyWillComeFor) {
  EXPECT_TRUE(BridgeLogins::is_bridge({"bridge:far"}));
  EXPECT_FALSE(BridgeLogins::is_bridge({"phone"}));
  EXPECT_TRUE(logins_.is_abandoned({"bridge:gone"}));
  EXPECT_FALSE(logins_.is_abandoned({"bridge:far"}));
  EXPECT_FALSE(logins_.is_abandoned({"phone"}));
}

TEST_F(BridgeLoginsTest, MakesAnotherPasswordEachTime) {
  EXPECT_NE(logins_.password().reveal(), BridgeLogins(bridges()).password().reveal());
}

}  // namespace
}  // namespace wake::gateway
