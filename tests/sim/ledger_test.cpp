#include "tests/sim/ledger.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/sim/test_keys.hpp"

namespace wake::sim {
namespace {

Push push(std::string id, std::string screen_key = {}, std::string store_key = {}) {
  Push made;
  made.token = "t";
  made.app = "app";
  made.wake_id = std::move(id);
  made.screen_key = std::move(screen_key);
  made.store_key = std::move(store_key);
  return made;
}

std::vector<std::string> ids(const nlohmann::json& list) {
  std::vector<std::string> out;
  for (const auto& notice : list) out.push_back(notice["wake_id"]);
  return out;
}

TEST(Ledger, ShowsInOrderAndReplacesInPlace) {
  Ledger ledger(Storing::NewestPerApp, 100);
  EXPECT_EQ(ledger.deliver(push("1", "a"), kNoon), Outcome::Shown);
  EXPECT_EQ(ledger.deliver(push("2", "b"), kNoon), Outcome::Shown);
  EXPECT_EQ(ledger.deliver(push("3", "a"), kNoon), Outcome::Replaced);
  EXPECT_EQ(ledger.deliver(push("4"), kNoon), Outcome::Shown);
  const auto phone = ledger.phone("t");
  EXPECT_EQ(ids(phone["notifications"]), (std::vector<std::string>{"3", "2", "4"}));
  EXPECT_EQ(phone["notifications"][0]["times"], 2);
  EXPECT_EQ(phone["shown"], 4);
  EXPECT_EQ(phone["replaced"], 1);
  EXPECT_EQ(ledger.on_screen("t"), 3U);
}

TEST(Ledger, ASilentPushShowsNothing) {
  Ledger ledger(Storing::NewestPerApp, 100);
  auto silent = push("1");
  silent.silent = true;
  EXPECT_EQ(ledger.deliver(silent, kNoon), Outcome::Woken);
  EXPECT_EQ(ledger.phone("t")["shown"], 0);
  EXPECT_EQ(ids(ledger.phone("t")["wakes"]), std::vector<std::string>{"1"});
}

TEST(Ledger, AppleKeepsTheNewestPerAppWhileThePhoneIsOff) {
  Ledger ledger(Storing::NewestPerApp, 100);
  ledger.set_online("t", false, kNoon);
  EXPECT_EQ(ledger.deliver(push("1"), kNoon), Outcome::Stored);
  EXPECT_EQ(ledger.deliver(push("2"), kNoon), Outcome::Stored);
  auto never = push("3");
  never.storable = false;
  EXPECT_EQ(ledger.deliver(never, kNoon), Outcome::Discarded);
  ledger.set_online("t", true, kNoon);
  EXPECT_EQ(ids(ledger.phone("t")["notifications"]), std::vector<std::string>{"2"});
  EXPECT_EQ(ledger.phone("t")["discarded"], 2);
}

TEST(Ledger, WhatExpiredWhileThePhoneWasOffIsNotShown) {
  Ledger ledger(Storing::NewestPerApp, 100);
  ledger.set_online("t", false, kNoon);
  auto brief = push("1");
  brief.expires = kNoon + std::chrono::minutes(1);
  ledger.deliver(brief, kNoon);
  ledger.set_online("t", true, kNoon + std::chrono::minutes(1));
  EXPECT_EQ(ledger.phone("t")["shown"], 0);
}

TEST(Ledger, GoogleKeepsAHundredThenDropsAllAndSaysSo) {
  Ledger ledger(Storing::Fcm, 1000);
  ledger.set_online("t", false, kNoon);
  for (int i = 0; i < 100; ++i) ledger.deliver(push(std::to_string(i)), kNoon);
  EXPECT_EQ(ledger.phone("t")["waiting"].size(), 100u);
  ledger.deliver(push("100"), kNoon);
  EXPECT_EQ(ids(ledger.phone("t")["waiting"]), std::vector<std::string>{"100"});
  EXPECT_EQ(ledger.phone("t")["deleted_signals"], 1);
  EXPECT_EQ(ledger.phone("t")["discarded"], 100);
}

TEST(Ledger, GoogleKeepsOnePerCollapseKeyAndFourKeys) {
  Ledger ledger(Storing::Fcm, 1000);
  ledger.set_online("t", false, kNoon);
  for (const char* key : {"a", "b", "c", "d", "a"}) ledger.deliver(push(key, {}, key), kNoon);
  EXPECT_EQ(ids(ledger.phone("t")["waiting"]), (std::vector<std::string>{"b", "c", "d", "a"}));
  ledger.deliver(push("e", {}, "e"), kNoon);
  EXPECT_EQ(ids(ledger.phone("t")["waiting"]), (std::vector<std::string>{"c", "d", "a", "e"}));
}

TEST(Ledger, CountsOnBeyondItsLimit) {
  Ledger ledger(Storing::Fcm, 1);
  ledger.deliver(push("1"), kNoon);
  ledger.deliver(push("2"), kNoon);
  EXPECT_EQ(ledger.phone("t")["notifications"].size(), 1u);
  EXPECT_EQ(ledger.phone("t")["shown"], 2);
}

}  // namespace
}  // namespace wake::sim
