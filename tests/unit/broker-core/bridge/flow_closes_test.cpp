// What a bridge does about a receiver that closes the connection, over one message or over all of them.
#include "relay_bench.hpp"

namespace wake::broker {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

TEST(BridgeFlowCloses, SetsAsideTheMessageOverWhichTheReceiverClosesThoughItTakesAnother) {
  RelayBench bench({"# out 1"});
  bench.come_up();
  for (const std::uint16_t id : {1, 2, 3, 4}) bench.publish(kLocal, "a", std::to_string(id), 1, id);
  bench.ack(kRemote, PacketType::Puback, 1);
  bench.sent(kLocal);
  bench.lose(kRemote);
  for (unsigned closes = 1; closes < Flow::kMaxCloses; ++closes) {
    EXPECT_THAT(bench.come_up(kRemote), ElementsAre(StartsWith("PUBLISH a '2'"))) << "a suspect goes alone";
    bench.publish(kLocal, "b", "nor with QoS 0", 0);
    EXPECT_THAT(bench.sent(kRemote), IsEmpty());
    bench.lose(kRemote);
  }
  EXPECT_THAT(bench.come_up(kRemote), ElementsAre(StartsWith("PUBLISH a '3'"))) << "to compare with, alone";
  EXPECT_THAT(bench.sent(kLocal), Not(Contains(StartsWith("PUBACK"))));
  bench.ack(kRemote, PacketType::Puback, 3);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre("PUBACK #3"));
  EXPECT_THAT(bench.sent(kRemote), ElementsAre(StartsWith("PUBLISH a '2'"))) << "its last try";
  bench.lose(kRemote);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre("PUBACK #2"));
  EXPECT_THAT(bench.events, Contains("bridge.refused").Times(1));
  EXPECT_EQ(bench.relay.status().out.refused, 1u);
  bench.pass(Link::kFirstRetry);
  EXPECT_TRUE(bench.wants_open(kRemote)) << "the next try waits no longer than a first one";
  EXPECT_THAT(bench.come_up(kRemote), ElementsAre(StartsWith("PUBLISH a '4'")));
}

TEST(BridgeFlowCloses, LosesNothingToAReceiverThatClosesOverEverything) {
  RelayBench bench({"# out 1"});
  bench.come_up();
  for (const std::uint16_t id : {1, 2, 3}) bench.publish(kLocal, "a", std::to_string(id), 1, id);
  bench.sent(kLocal);
  for (unsigned closes = 0; closes < 6 * Flow::kMaxCloses; ++closes) {
    bench.give(kLocal, Pingresp{});
    bench.lose(kRemote);
    EXPECT_THAT(bench.come_up(kRemote), SizeIs(1));
  }
  bench.lose(kRemote);
  bench.pass(Link::kLongestRetry / 2 - std::chrono::seconds(1));
  EXPECT_FALSE(bench.wants_open(kRemote)) << "it tries as rarely as with any broker that fails";
  EXPECT_THAT(bench.sent(kLocal), Each(Not(StartsWith("PUBACK"))));
  bench.give(kLocal, Pingresp{});
  bench.come_up(kRemote);
  for (const std::uint16_t slot : {2, 1, 3}) bench.ack(kRemote, PacketType::Puback, slot);
  EXPECT_EQ(bench.relay.status().out.refused, 0u);
  EXPECT_EQ(bench.relay.status().out.carried, 3u);
}

TEST(BridgeFlowCloses, KeepsTryingWhereThereIsNoOtherMessageToCompareWith) {
  RelayBench bench({"# out 1"});
  bench.come_up();
  bench.publish(kLocal, "a", "1", 1, 1);
  for (unsigned closes = 0; closes < 4 * Flow::kMaxCloses; ++closes) {
    bench.give(kLocal, Pingresp{});
    bench.lose(kRemote);
    EXPECT_THAT(bench.come_up(kRemote), ElementsAre(StartsWith("PUBLISH a '1'")));
  }
  bench.publish(kLocal, "a", "2", 1, 2);
  EXPECT_THAT(bench.sent(kRemote), IsEmpty()) << "one at a time";
  bench.sent(kLocal);
  bench.ack(kRemote, PacketType::Puback, 1);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre("PUBACK #1"));
  EXPECT_THAT(bench.sent(kRemote), ElementsAre(StartsWith("PUBLISH a '2'")));
  EXPECT_EQ(bench.relay.status().out.refused, 0u);
}

TEST(BridgeFlowCloses, FindsTheMessageThatItTakesBehindSeveralThatItDoesNot) {
  RelayBench bench({"# out 1"});
  bench.come_up();
  std::uint16_t id = 0;
  for (const char* payload : {"bad 1", "bad 2", "good 1", "good 2"})
    bench.publish(kLocal, "a", payload, 1, ++id);
  for (int i = 0; i < 40; ++i) {
    bench.lose(kRemote);
    auto said = bench.come_up(kRemote);
    while (said.size() == 1 && said[0].starts_with("PUBLISH a 'good")) {
      bench.ack(kRemote, PacketType::Puback,
                static_cast<std::uint16_t>(said[0][said[0].find('#') + 1] - '0'));
      said = bench.sent(kRemote);
    }
  }
  EXPECT_EQ(bench.relay.status().out.carried, 2u);
  EXPECT_EQ(bench.relay.status().out.refused, 2u);
}

TEST(BridgeFlowCloses, WantsNewEvidenceForEachMessageThatItPassesOver) {
  RelayBench bench({"# out 1"});
  bench.come_up();
  for (const std::uint16_t id : {1, 2}) bench.publish(kLocal, "a", std::to_string(id), 1, id);
  for (unsigned closes = 0; closes < 2 * Flow::kMaxCloses; ++closes) {
    bench.lose(kRemote);
    bench.come_up(kRemote);
  }
  bench.publish(kLocal, "a", "3", 1, 3);
  bench.lose(kRemote);
  EXPECT_THAT(bench.come_up(kRemote), ElementsAre(StartsWith("PUBLISH a '3' q1 #3")));
  bench.ack(kRemote, PacketType::Puback, 3);
  bench.lose(kRemote);
  EXPECT_EQ(bench.relay.status().out.refused, 1u);
  for (unsigned closes = 0; closes < 2 * Flow::kMaxCloses; ++closes) {
    EXPECT_THAT(bench.come_up(kRemote), ElementsAre(StartsWith("PUBLISH a '2'")));
    bench.lose(kRemote);
  }
  EXPECT_EQ(bench.relay.status().out.refused, 1u);
}

TEST(BridgeFlowCloses, SuspectsNoMessageWhereTheNetworkFails) {
  RelayBench bench({"# out 1"});
  bench.come_up();
  for (const std::uint16_t id : {1, 2}) bench.publish(kLocal, "a", std::to_string(id), 1, id);
  for (unsigned i = 0; i < 2 * Flow::kMaxCloses; ++i) {
    bench.cut_off(kRemote);
    EXPECT_THAT(bench.come_up(kRemote), SizeIs(2)) << "none goes alone";
  }
}

TEST(BridgeFlowCloses, SuspectsNoMessageWhereTheReceiverGoesAwayForAnotherReason) {
  RelayBench bench({"# out 1"});
  bench.come_up();
  bench.publish(kLocal, "a", "1", 1, 1);
  for (unsigned i = 0; i < 2 * Flow::kMaxCloses; ++i) {
    bench.give(kRemote, Disconnect{ReasonCode::ServerShuttingDown, {}});
    bench.open(kRemote);
    bench.lose(kRemote);  // down while it starts again
    EXPECT_THAT(bench.sent(kRemote), IsEmpty());
    EXPECT_THAT(bench.come_up(kRemote), ElementsAre(StartsWith("PUBLISH a '1'")));
    bench.lose(kRemote);
    bench.open(kRemote);
    bench.lose(kRemote);
    EXPECT_THAT(bench.come_up(kRemote), ElementsAre(StartsWith("PUBLISH a '1'")));
  }
  EXPECT_EQ(bench.relay.status().out.refused, 0u);
}

TEST(BridgeFlowCloses, SuspectsNoMessageBeforeTheSubscriptionIsAnswered) {
  RelayBench bench({"# out 1", "x in 1"});
  bench.come_up();
  bench.publish(kLocal, "a", "1", 1, 1);
  bench.lose(kRemote);
  for (unsigned i = 0; i < 2 * Flow::kMaxCloses; ++i) {
    EXPECT_THAT(bench.come_up(kRemote), ElementsAre(StartsWith("SUBSCRIBE")));
    bench.lose(kRemote);
  }
  EXPECT_EQ(bench.relay.status().out.refused, 0u);
  bench.come_up(kRemote);
  bench.answer_subscribe(kRemote);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre(StartsWith("PUBLISH a '1'")));
}

TEST(BridgeFlowCloses, ReleasesAtQos2WhatItSetsAside) {
  RelayBench bench({"# out 2"});
  bench.come_up();
  bench.publish(kLocal, "a", "x", 2, 5);
  bench.publish(kLocal, "a", "y", 1, 6);
  for (unsigned closes = 0; closes < Flow::kMaxCloses; ++closes) {
    bench.lose(kRemote);
    bench.come_up(kRemote, true);
  }
  bench.ack(kRemote, PacketType::Puback, 2);
  bench.lose(kRemote);
  bench.come_up(kRemote, true);
  EXPECT_THAT(bench.sent(kLocal), Contains("PUBREC #5"));
  bench.ack(kLocal, PacketType::Pubrel, 5);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre("PUBREL #1")) << "it may know the id";
  bench.ack(kRemote, PacketType::Pubcomp, 1, ReasonCode::PacketIdentifierNotFound);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre("PUBCOMP #5"));
}

}  // namespace
}  // namespace wake::broker
