// What a bridge promises about messages: acknowledged late, in order, QoS 2 once.
#include "relay_bench.hpp"

namespace wake::broker {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kVia = " wake-via=us";

TEST(BridgeFlow, AcknowledgesWhatTheOtherSideHasAcknowledged) {
  RelayBench bench({"# both 1"});
  bench.come_up();
  bench.publish(kLocal, "a", "x", 1, 40);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre(std::string("PUBLISH a 'x' q1 #1") + kVia));
  EXPECT_THAT(bench.sent(kLocal), IsEmpty());
  bench.ack(kRemote, PacketType::Puback, 1);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre("PUBACK #40"));
  EXPECT_EQ(bench.relay.status().out.carried, 1u);
}

TEST(BridgeFlow, PassesEveryStepOfQos2) {
  RelayBench bench({"# both 2"});
  bench.come_up();
  bench.publish(kRemote, "a", "x", 2, 9);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre(std::string("PUBLISH a 'x' q2 #1") + kVia));
  bench.ack(kLocal, PacketType::Pubrec, 1);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre("PUBREC #9"));
  EXPECT_THAT(bench.sent(kLocal), IsEmpty());
  bench.ack(kRemote, PacketType::Pubrel, 9);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre("PUBREL #1"));
  bench.ack(kLocal, PacketType::Pubcomp, 1);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre("PUBCOMP #9"));
}

TEST(BridgeFlow, KeepsQos1InOrderWhileTheReceiverIsAway) {
  RelayBench bench({"# both 1"});
  bench.come_up();
  bench.publish(kLocal, "a", "1", 1, 1);
  bench.sent(kRemote);
  bench.lose(kRemote);
  bench.publish(kLocal, "a", "2", 1, 2);
  bench.publish(kLocal, "a", "lost", 0);
  bench.publish(kLocal, "a", "3", 1, 3);
  EXPECT_THAT(bench.sent(kLocal), IsEmpty());
  EXPECT_THAT(bench.come_up(kRemote, true), ElementsAre(StartsWith("SUBSCRIBE")));
  bench.answer_subscribe(kRemote);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre(StartsWith("PUBLISH a '1' q1 #1 dup")));
  bench.ack(kRemote, PacketType::Puback, 1);
  EXPECT_THAT(bench.sent(kRemote),
              ElementsAre(StartsWith("PUBLISH a '2' q1 #1 wake"), StartsWith("PUBLISH a '3' q1 #2 wake")));
  EXPECT_EQ(bench.relay.status().out.dropped, 1u);
}

TEST(BridgeFlow, TakesNoMessageTwiceFromASenderThatCameBack) {
  RelayBench bench({"# both 2"});
  bench.come_up();
  bench.publish(kRemote, "a", "1", 1, 1);
  bench.publish(kRemote, "a", "2", 2, 2);
  bench.publish(kRemote, "a", "3", 2, 3);
  bench.ack(kLocal, PacketType::Pubrec, 2);
  bench.sent(kLocal);
  bench.lose(kRemote);
  bench.come_up(kRemote, true);
  bench.sent(kLocal);
  bench.publish(kRemote, "a", "1", 1, 1, true);
  bench.publish(kRemote, "a", "2", 2, 2, true);
  bench.publish(kRemote, "a", "3", 2, 3, true);
  EXPECT_THAT(bench.sent(kLocal), IsEmpty());
  EXPECT_THAT(bench.sent(kRemote), ElementsAre("PUBREC #2"));
}

TEST(BridgeFlow, BelievesNoOldIdOfASenderThatNumbersAnew) {
  RelayBench bench({"# both 2"});
  bench.come_up();
  bench.publish(kRemote, "a", "old", 1, 1);
  bench.publish(kRemote, "a", "old2", 2, 2);
  bench.ack(kLocal, PacketType::Pubrec, 2);
  bench.sent(kLocal);
  bench.lose(kRemote);
  bench.come_up(kRemote, true);
  bench.sent(kLocal);
  bench.publish(kRemote, "a", "new", 1, 1);
  bench.publish(kRemote, "a", "new2", 2, 2);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre(StartsWith("PUBLISH a 'new' q1 #3"), "PUBREL #2",
                                              StartsWith("PUBLISH a 'new2' q2 #4")));
  bench.ack(kLocal, PacketType::Puback, 1);
  EXPECT_THAT(bench.sent(kRemote), IsEmpty());  // of the old one
  bench.ack(kLocal, PacketType::Puback, 3);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre("PUBACK #1"));
}

TEST(BridgeFlow, FinishesQos2ForASenderWhoseSessionIsGone) {
  RelayBench bench({"# in 2"});
  bench.come_up();
  bench.publish(kRemote, "a", "1", 2, 1);
  bench.publish(kRemote, "a", "2", 2, 2);
  bench.ack(kLocal, PacketType::Pubrec, 1);
  bench.sent(kLocal);
  bench.lose(kRemote);
  bench.come_up(kRemote, false);
  EXPECT_THAT(bench.sent(kLocal), Contains("PUBREL #1"));
  bench.ack(kLocal, PacketType::Pubrec, 2);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre("PUBREL #2"));
  EXPECT_THAT(bench.sent(kRemote), IsEmpty());
}

TEST(BridgeFlow, GoesOnWithQos2WhereTheReceiverWasLost) {
  RelayBench bench({"# out 2"});
  bench.come_up();
  bench.publish(kLocal, "a", "sent", 2, 1);
  bench.publish(kLocal, "a", "received", 2, 2);
  bench.publish(kLocal, "a", "released", 2, 3);
  bench.ack(kRemote, PacketType::Pubrec, 2);
  bench.ack(kRemote, PacketType::Pubrec, 3);
  bench.ack(kLocal, PacketType::Pubrel, 3);
  bench.sent(kRemote);
  bench.lose(kRemote);
  EXPECT_THAT(bench.come_up(kRemote, true),
              ElementsAre("PUBREL #3", StartsWith("PUBLISH a 'sent' q2 #1 dup")));
  bench.sent(kLocal);
  bench.ack(kLocal, PacketType::Pubrel, 2);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre("PUBREL #2"));
  bench.ack(kRemote, PacketType::Pubcomp, 3);
  bench.ack(kRemote, PacketType::Pubcomp, 2);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre("PUBCOMP #3", "PUBCOMP #2"));
}

TEST(BridgeFlow, HasTheReceiverReleaseWhatAnEarlierProcessLeft) {
  RelayBench bench({"# out 2", "x in 1"});
  bench.come_up(kLocal, true);
  const auto said = bench.come_up(kRemote, true);
  ASSERT_THAT(said, SizeIs(1 + Flow::kWindow));
  EXPECT_EQ(said[1], "PUBREL #1");
  EXPECT_EQ(said[Flow::kWindow], "PUBREL #100");
  bench.publish(kLocal, "a", "x", 2, 1);
  bench.ack(kRemote, PacketType::Pubcomp, 1);  // the answer to the release, not to the message
  bench.sent(kLocal);
  bench.ack(kRemote, PacketType::Pubrec, 1);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre("PUBREC #1"));
  bench.lose(kRemote);
  EXPECT_THAT(bench.come_up(kRemote, true), ElementsAre(StartsWith("SUBSCRIBE")));
}

TEST(BridgeFlow, SendsNoMoreThanTheReceiverTakes) {
  RelayBench bench({"# out 1"});
  bench.come_up(kLocal);
  Properties properties;
  properties.receive_maximum = 2;
  bench.come_up(kRemote, false, properties);
  for (std::uint16_t id = 1; id <= 3; ++id) bench.publish(kLocal, "a", std::to_string(id), 1, id);
  EXPECT_THAT(bench.sent(kRemote), SizeIs(2));
  bench.ack(kRemote, PacketType::Puback, 2);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre(StartsWith("PUBLISH a '3' q1 #2")));
}

TEST(BridgeFlow, ReadsNoMoreOfABrokerThanFits) {
  RelayOptions options = RelayBench::options({"# in 1"});
  options.remote.version = Version::V311;
  RelayBench bench(options);
  bench.come_up();
  for (std::uint16_t id = 1; id < Flow::kWindow; ++id) bench.publish(kRemote, "a", "x", 1, id);
  EXPECT_TRUE(bench.relay.is_wanted(kRemote));
  bench.publish(kRemote, "a", "x", 1, Flow::kWindow);
  EXPECT_FALSE(bench.relay.is_wanted(kRemote));
  std::vector<std::byte> more;
  write(Pingresp{}, Version::V311, more);
  EXPECT_EQ(bench.give_bytes(kRemote, more), 0u);
  bench.ack(kLocal, PacketType::Puback, 1);
  EXPECT_TRUE(bench.relay.is_wanted(kRemote));
}

TEST(BridgeFlow, TriesAgainWhatTheReceiverCannotTakeNow) {
  RelayBench bench({"# both 1"});
  bench.come_up();
  bench.publish(kRemote, "a", "x", 1, 7);
  bench.sent(kLocal);
  bench.ack(kLocal, PacketType::Puback, 1, ReasonCode::QuotaExceeded);
  EXPECT_THAT(bench.cut, ElementsAre(kLocal));
  EXPECT_THAT(bench.sent(kRemote), IsEmpty());
  EXPECT_THAT(bench.come_up(kLocal, true), Contains(StartsWith("PUBLISH a 'x' q1 #1 dup")));
}

TEST(BridgeFlow, PassesOverWhatTheReceiverRefusesForGood) {
  RelayBench bench({"# both 2"});
  bench.come_up();
  bench.publish(kLocal, "a", "x", 1, 1);
  bench.publish(kLocal, "b", "y", 2, 2);
  bench.ack(kRemote, PacketType::Puback, 1, ReasonCode::NotAuthorized);
  bench.ack(kRemote, PacketType::Pubrec, 2, ReasonCode::TopicNameInvalid);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre("PUBACK #1", "PUBREC #2"));
  bench.ack(kLocal, PacketType::Pubrel, 2);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre("PUBCOMP #2"));
  EXPECT_EQ(bench.relay.status().out.refused, 2u);
  EXPECT_EQ(bench.relay.status().out.carried, 0u);
  EXPECT_THAT(bench.events, Contains("bridge.refused").Times(2));
}

TEST(BridgeFlow, PassesOverWhatIsTooLargeForTheReceiver) {
  RelayBench bench({"# out 1"});
  bench.come_up(kLocal);
  Properties properties;
  properties.maximum_packet_bytes = 60;
  bench.come_up(kRemote, false, properties);
  bench.publish(kLocal, "a", std::string(60, 'x'), 1, 1);
  bench.publish(kLocal, "a", "x", 1, 2);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre(StartsWith("PUBLISH a 'x' q1")));
  EXPECT_THAT(bench.sent(kLocal), Contains("PUBACK #1"));
  EXPECT_EQ(bench.relay.status().out.refused, 1u);
}

TEST(BridgeFlow, LowersTheQosToWhatTheReceiverKnows) {
  RelayBench bench({"# out 2"});
  bench.come_up(kLocal);
  Properties properties;
  properties.maximum_qos = 1;
  bench.come_up(kRemote, false, properties);
  bench.sent(kLocal);
  bench.publish(kLocal, "a", "x", 2, 8);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre(StartsWith("PUBLISH a 'x' q1 #1")));
  bench.ack(kRemote, PacketType::Puback, 1);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre("PUBREC #8"));
  bench.ack(kLocal, PacketType::Pubrel, 8);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre("PUBCOMP #8"));
}

TEST(BridgeFlow, SendsAReceiverWithoutRetainedMessagesNone) {
  RelayBench bench({"# out 1"});
  bench.come_up(kLocal);
  Properties properties;
  properties.retain_available = false;
  bench.come_up(kRemote, false, properties);
  bench.publish(kLocal, "a", "x", 1, 1, false, {}, true);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre("PUBLISH a 'x' q1 #1 wake-via=us"));
}

TEST(BridgeFlow, CountsExpiryDownAndDropsWhatHasExpired) {
  RelayBench bench({"# out 1"});
  bench.come_up(kLocal);
  PublishProperties properties;
  properties.message_expiry_s = 5;
  bench.publish(kLocal, "a", "short", 1, 1, false, properties);
  properties.message_expiry_s = 60;
  bench.publish(kLocal, "a", "long", 1, 2, false, properties);
  bench.pass(std::chrono::seconds(9));
  EXPECT_THAT(bench.come_up(kRemote), ElementsAre("PUBLISH a 'long' q1 #1 wake-via=us expires=51"));
  EXPECT_THAT(bench.sent(kLocal), Contains("PUBACK #1"));
  EXPECT_EQ(bench.relay.status().out.dropped, 1u);
}

TEST(BridgeFlow, DropsQos0ForAReceiverThatDoesNotRead) {
  RelayBench bench({"# out 0"});
  bench.come_up();
  const std::string payload(100'000, 'x');
  for (int i = 0; i < 50; ++i) bench.publish(kLocal, "a", payload, 0);
  EXPECT_LE(bench.relay.output(kRemote).size(), Flow::kHighWater + 2 * payload.size());
  EXPECT_GE(bench.relay.status().out.dropped, 35u);
  EXPECT_THAT(bench.sent(kRemote), Each(StartsWith("PUBLISH a")));
}

}  // namespace
}  // namespace wake::broker
