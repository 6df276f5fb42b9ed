#include "broker-core/delivery/settlement.hpp"

#include <memory>

#include <gtest/gtest.h>

namespace wake::broker {
namespace {

constexpr MessageId kFirst{1};
constexpr MessageId kSecond{2};

TEST(Settlements, OwedToNobodyIsSettledAtOnce) {
  Settlements<int> settlements;
  EXPECT_EQ(settlements.open(kFirst, 7, 0), 7);
  EXPECT_EQ(settlements.size(), 0u);
}

TEST(Settlements, TheLastReceiverSettlesTheMessage) {
  Settlements<int> settlements;
  EXPECT_EQ(settlements.open(kFirst, 7, 3), std::nullopt);
  EXPECT_EQ(settlements.one_done(kFirst), std::nullopt);
  EXPECT_EQ(settlements.one_done(kFirst), std::nullopt);
  EXPECT_EQ(settlements.size(), 1u);
  EXPECT_EQ(settlements.one_done(kFirst), 7);
  EXPECT_EQ(settlements.size(), 0u);
}

TEST(Settlements, ALateAnswerHarmsNothing) {
  Settlements<int> settlements;
  settlements.open(kFirst, 7, 1);
  settlements.open(kSecond, 8, 1);
  EXPECT_EQ(settlements.one_done(kFirst), 7);
  EXPECT_EQ(settlements.one_done(kFirst), std::nullopt);
  EXPECT_EQ(settlements.one_done(kSecond), 8);
}

TEST(Settlements, MoreReceiversMayTurnUpWhileItIsOpen) {
  Settlements<int> settlements;
  settlements.open(kFirst, 7, 1);
  EXPECT_TRUE(settlements.expect(kFirst, 1));
  EXPECT_EQ(settlements.one_done(kFirst), std::nullopt);
  EXPECT_EQ(settlements.one_done(kFirst), 7);
  EXPECT_FALSE(settlements.expect(kFirst, 1)) << "settled is settled";
}

TEST(Settlements, ADroppedMessageTellsNobody) {
  Settlements<int> settlements;
  settlements.open(kFirst, 7, 1);
  EXPECT_TRUE(settlements.drop(kFirst));
  EXPECT_FALSE(settlements.drop(kFirst));
  EXPECT_EQ(settlements.one_done(kFirst), std::nullopt);
}

TEST(Settlements, AFloodComesAndGoesInAnyOrder) {
  Settlements<std::int64_t> settlements;
  for (int flood = 0; flood < 2; ++flood) {
    for (std::int64_t id = 1; id <= 10'000; ++id) settlements.open(MessageId{id}, id, 1);
    EXPECT_EQ(settlements.size(), 10'000u);
    for (std::int64_t i = 0; i < 10'000; ++i) {
      const std::int64_t id = i * 7 % 10'000 + 1;
      EXPECT_EQ(settlements.one_done(MessageId{id}), id);
      EXPECT_EQ(settlements.find(MessageId{id}), nullptr);
    }
    EXPECT_EQ(settlements.size(), 0u);
  }
}

TEST(Settlements, TheWaiterIsHandedBackItself) {
  Settlements<std::unique_ptr<int>> settlements;
  settlements.open(kFirst, std::make_unique<int>(7), 1);
  ASSERT_NE(settlements.find(kFirst), nullptr);
  **settlements.find(kFirst) = 9;
  const auto settled = settlements.one_done(kFirst);
  ASSERT_TRUE(settled.has_value());
  EXPECT_EQ(**settled, 9);
  EXPECT_EQ(settlements.find(kFirst), nullptr);
}

}  // namespace
}  // namespace wake::broker
