// What a bridge does about a receiver that closes the connection, over one message or over all of them.
#include <random>

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

/// Both brokers live on until the bridge asks the remote one for life, which answers. What it is sent
/// besides.
RelayBench::Lines live_through_probation(RelayBench& bench) {
  RelayBench::Lines said;
  for (int i = 0; i < 100; ++i) {
    bench.pass(std::chrono::seconds(1));
    bench.give(kLocal, Pingresp{});
    bench.wants_open(kRemote);
    const auto lines = bench.sent(kRemote);
    for (const auto& line : lines)
      if (line != "PINGREQ") said.push_back(line);
    if (lines.empty() || lines.back() != "PINGREQ") continue;
    bench.give(kRemote, Pingresp{});
    for (const auto& line : bench.sent(kRemote)) said.push_back(line);
    if (!said.empty()) return said;
  }
  return said;
}

/// 'bad' (#1) of "a" is out alone, and has been closed over until it is parked.
void park_one(RelayBench& bench) {
  bench.come_up();
  bench.publish(kLocal, "a", "bad", 1, 1);
  for (unsigned closes = 0; closes < Flow::kMaxCloses; ++closes) {
    bench.lose(kRemote);
    EXPECT_THAT(bench.come_up(kRemote), ElementsAre(StartsWith("PUBLISH a 'bad'")));
  }
  bench.lose(kRemote);
}

/// Another message is taken at once, and nothing else is out.
void take_another(RelayBench& bench, std::uint16_t id) {
  bench.publish(kLocal, "a", "good", 1, id);
  const auto said = bench.come_up(kRemote);
  ASSERT_THAT(said, ElementsAre(StartsWith("PUBLISH a 'good' q1 #")));
  bench.ack(kRemote, PacketType::Puback,
            static_cast<std::uint16_t>(std::stoi(said[0].substr(said[0].find('#') + 1))));
  EXPECT_THAT(bench.sent(kRemote), IsEmpty());
}

TEST(BridgeFlowCloses, PassesOverAMessageOverWhichTheReceiverClosesThoughItTakesOthers) {
  RelayBench bench({"# out 1"});
  bench.come_up();
  for (const std::uint16_t id : {1, 2, 3, 4}) bench.publish(kLocal, "a", std::to_string(id), 1, id);
  bench.ack(kRemote, PacketType::Puback, 1);
  bench.sent(kLocal);
  bench.lose(kRemote);
  for (unsigned closes = 1; closes < Flow::kMaxCloses; ++closes) {
    EXPECT_THAT(bench.come_up(kRemote), ElementsAre(StartsWith("PUBLISH a '2'"))) << "a suspect goes alone";
    bench.lose(kRemote);
  }
  EXPECT_THAT(bench.come_up(kRemote), ElementsAre(StartsWith("PUBLISH a '3'"))) << "to compare with, alone";
  EXPECT_THAT(bench.sent(kLocal), Not(Contains(StartsWith("PUBACK"))));
  bench.ack(kRemote, PacketType::Puback, 3);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre("PUBACK #3"));
  EXPECT_THAT(bench.sent(kRemote), ElementsAre(StartsWith("PUBLISH a '4'"))) << "the others go on";
  bench.ack(kRemote, PacketType::Puback, 4);
  for (std::uint16_t trial = 1;; ++trial) {
    EXPECT_THAT(live_through_probation(bench), ElementsAre(StartsWith("PUBLISH a '2'"))) << "a trial";
    EXPECT_THAT(bench.sent(kLocal), Not(Contains("PUBACK #2")));
    bench.lose(kRemote);
    if (trial == Flow::kMaxTrials) break;
    bench.pass(Link::kFirstRetry);
    EXPECT_TRUE(bench.wants_open(kRemote)) << "the next try waits no longer than a first one";
    take_another(bench, static_cast<std::uint16_t>(10 + trial));
  }
  EXPECT_THAT(bench.sent(kLocal), Contains("PUBACK #2"));
  EXPECT_THAT(bench.events, Contains("bridge.refused").Times(1));
  EXPECT_EQ(bench.relay.status().out.refused, 1u);
}

TEST(BridgeFlowCloses, LosesNothingToAReceiverThatTakesAnotherAndDiesTimeAndAgain) {
  RelayBench bench({"# out 1"});
  park_one(bench);
  for (std::uint16_t life = 2; life < 100; ++life) {
    take_another(bench, life);
    bench.pass(Flow::kProbation - std::chrono::seconds(1));
    bench.wants_open(kRemote);
    EXPECT_THAT(bench.sent(kRemote), Each(Not(StartsWith("PUBLISH"))))
        << "it has not shown yet that it lives";
    bench.give(kLocal, Pingresp{});
    bench.lose(kRemote);
  }
  EXPECT_EQ(bench.relay.status().out.refused, 0u);
  EXPECT_EQ(bench.relay.status().out.carried, 98u);
  EXPECT_THAT(bench.sent(kLocal), Not(Contains("PUBACK #1")));
}

TEST(BridgeFlowCloses, CountsTrialsAnewWhereTheReceiverClosesOverSomethingElseToo) {
  RelayBench bench({"# out 1"});
  park_one(bench);
  std::uint16_t id = 1;
  for (int round = 0; round < 3; ++round) {
    for (unsigned trial = 1; trial < Flow::kMaxTrials; ++trial) {
      take_another(bench, ++id);
      EXPECT_THAT(live_through_probation(bench), ElementsAre(StartsWith("PUBLISH a 'bad'")));
      bench.lose(kRemote);
    }
    take_another(bench, ++id);
    bench.lose(kRemote);  // and nothing was out
    EXPECT_EQ(bench.relay.status().out.refused, 0u);
  }
  take_another(bench, ++id);
  live_through_probation(bench);
  bench.ack(kRemote, PacketType::Puback, 1);
  EXPECT_THAT(bench.sent(kLocal), Contains("PUBACK #1")) << "it was the broker all the time";
}

TEST(BridgeFlowCloses, PassesOverAMessageThatTakesTheReceiverDownForAWhile) {
  RelayBench bench({"# out 1"});
  park_one(bench);
  for (std::uint16_t trial = 1; trial <= Flow::kMaxTrials; ++trial) {
    for (int i = 0; i < 3; ++i) {
      bench.open(kRemote);
      bench.lose(kRemote);  // it is starting
      bench.give(kLocal, Pingresp{});
    }
    take_another(bench, static_cast<std::uint16_t>(1 + trial));
    EXPECT_THAT(live_through_probation(bench), ElementsAre(StartsWith("PUBLISH a 'bad'")));
    bench.lose(kRemote);
  }
  EXPECT_EQ(bench.relay.status().out.refused, 1u);
}

/// What a broker that mostly takes messages says to `lines`.
void answer_mostly(RelayBench& bench, const RelayBench::Lines& lines, std::mt19937& random) {
  for (const auto& line : lines) {
    if (line == "PINGREQ") bench.give(kRemote, Pingresp{});
    if (line.starts_with("PUBLISH") && random() % 4 != 0)
      bench.ack(kRemote, PacketType::Puback,
                static_cast<std::uint16_t>(std::stoi(line.substr(line.find('#') + 1))));
  }
}

TEST(BridgeFlowCloses, AReceiverThatDiesAtAnyMomentLosesNothing) {
  std::mt19937 random(7);
  for (int world = 0; world < 20; ++world) {
    RelayBench bench({"# out 1"});
    bench.come_up();
    std::uint16_t id = 0;
    for (int life = 0; life < 200; ++life) {
      const auto dies_at = bench.now.steady + std::chrono::milliseconds(random() % 60'000);
      while (bench.now.steady < dies_at) {
        const bool has_room = id - bench.relay.status().out.carried < Flow::kWindow;
        if (has_room && random() % 8 == 0) bench.publish(kLocal, "a", "m", 1, ++id);
        bench.pass(std::chrono::milliseconds(random() % 2'000));
        bench.give(kLocal, Pingresp{});
        bench.wants_open(kRemote);
        answer_mostly(bench, bench.sent(kRemote), random);
      }
      bench.lose(kRemote);
      answer_mostly(bench, bench.come_up(kRemote), random);
    }
    EXPECT_EQ(bench.relay.status().out.refused, 0u);
    EXPECT_GT(bench.relay.status().out.carried, 100u);
  }
}

TEST(BridgeFlowCloses, Qos0WaitsWhileAMessageIsOutAlone) {
  RelayBench bench({"# out 1"});
  bench.come_up();
  for (const std::uint16_t id : {1, 2}) bench.publish(kLocal, "a", std::to_string(id), 1, id);
  bench.lose(kRemote);
  bench.come_up(kRemote);
  for (const char* payload : {"x", "y"}) bench.publish(kLocal, "b", payload, 0);
  EXPECT_THAT(bench.sent(kRemote), IsEmpty());
  bench.lose(kRemote);
  EXPECT_EQ(bench.relay.status().out.dropped, 2u) << "the receiver is away";
  bench.come_up(kRemote);
  bench.publish(kLocal, "b", "z", 0);
  for (int i = 0; i < 2; ++i) bench.publish(kLocal, "b", std::string(Flow::kHighWater / 2, 'w'), 0);
  EXPECT_EQ(bench.relay.status().out.dropped, 3u) << "more than may wait";
  bench.ack(kRemote, PacketType::Puback, 1);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre(StartsWith("PUBLISH b 'z' q0"), StartsWith("PUBLISH b 'w"),
                                               StartsWith("PUBLISH a '2'")));
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
  bench.ack(kRemote, PacketType::Puback, 2);
  EXPECT_THAT(live_through_probation(bench), ElementsAre(StartsWith("PUBLISH a '1'")));
  for (const std::uint16_t slot : {1, 3}) bench.ack(kRemote, PacketType::Puback, slot);
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

TEST(BridgeFlowCloses, PassesOverSeveralOneAfterTheOther) {
  RelayBench bench({"# out 1"});
  bench.come_up();
  std::uint16_t id = 0;
  for (const char* payload : {"bad 1", "bad 2", "good 1", "good 2"})
    bench.publish(kLocal, "a", payload, 1, ++id);
  for (int i = 0; i < 60; ++i) {
    bench.lose(kRemote);
    bench.give(kLocal, Pingresp{});
    bench.publish(kLocal, "a", "good", 1, ++id);
    auto said = bench.come_up(kRemote);
    while (said.size() == 1 && said[0].starts_with("PUBLISH a 'good")) {
      bench.ack(kRemote, PacketType::Puback,
                static_cast<std::uint16_t>(std::stoi(said[0].substr(said[0].find('#') + 1))));
      said = bench.sent(kRemote);
      if (said.empty()) said = live_through_probation(bench);
    }
  }
  EXPECT_GE(bench.relay.status().out.carried, 2u);
  EXPECT_EQ(bench.relay.status().out.refused, 2u);
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

TEST(BridgeFlowCloses, SuspectsNoMessageWhereTheReceiverSaysWhyItGoes) {
  RelayBench bench({"# out 1"});
  bench.come_up();
  for (const std::uint16_t id : {1, 2}) bench.publish(kLocal, "a", std::to_string(id), 1, id);
  for (unsigned i = 0; i < 2 * Flow::kMaxCloses; ++i) {
    bench.give(kRemote, Disconnect{ReasonCode::ServerShuttingDown, {}});
    bench.open(kRemote);
    bench.lose(kRemote);  // down while it starts again
    bench.sent(kRemote);
    EXPECT_THAT(bench.come_up(kRemote), SizeIs(2)) << "none goes alone";
  }
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

TEST(BridgeFlowCloses, ReleasesAtQos2WhatItPassesOver) {
  RelayBench bench({"# out 2"});
  bench.come_up();
  bench.publish(kLocal, "a", "bad", 2, 5);
  for (unsigned closes = 0; closes <= Flow::kMaxCloses; ++closes) {
    bench.lose(kRemote);
    bench.come_up(kRemote, true);
  }
  bench.lose(kRemote);
  for (std::uint16_t trial = 1; trial <= Flow::kMaxTrials; ++trial) {
    take_another(bench, static_cast<std::uint16_t>(5 + trial));
    EXPECT_THAT(live_through_probation(bench), ElementsAre(StartsWith("PUBLISH a 'bad' q2")));
    bench.lose(kRemote);
  }
  bench.come_up(kRemote, true);
  EXPECT_THAT(bench.sent(kLocal), Contains("PUBREC #5"));
  bench.ack(kLocal, PacketType::Pubrel, 5);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre("PUBREL #1")) << "it may know the id";
  bench.ack(kRemote, PacketType::Pubcomp, 1, ReasonCode::PacketIdentifierNotFound);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre("PUBCOMP #5"));
}

}  // namespace
}  // namespace wake::broker
