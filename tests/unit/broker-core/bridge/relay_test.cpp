#include "relay_bench.hpp"

namespace wake::broker {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Relay, ConnectsBothSidesWithSessionsThatStay) {
  RelayBench bench({"a/# out 1", "b/# in 2", "c/# both 0 here/ there/"});
  bench.open(kLocal);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre("CONNECT bridge:b"));
  bench.give(kLocal, Connack{});
  EXPECT_THAT(bench.sent(kLocal),
              ElementsAre("SUBSCRIBE a/# q1 retain-handling 1 here/c/# q0 retain-handling 2"));
  EXPECT_FALSE(bench.relay.status().is_connected);
  EXPECT_THAT(bench.come_up(kRemote),
              ElementsAre("SUBSCRIBE b/# q2 retain-handling 1 there/c/# q0 retain-handling 0"));
  EXPECT_TRUE(bench.relay.status().is_connected);
  EXPECT_THAT(bench.events, ElementsAre("bridge.connected"));
  // What is retained under c/# may have changed before.
  EXPECT_THAT(bench.sent(kLocal),
              ElementsAre("SUBSCRIBE a/# q1 retain-handling 1 here/c/# q0 retain-handling 0"));
}

TEST(Relay, OffersWhatIsRetainedAgainToABrokerThatHasLostEverything) {
  RelayBench bench({"a/# out 1"});
  bench.come_up();
  bench.lose(kRemote);
  bench.come_up(kRemote, true);
  EXPECT_THAT(bench.sent(kLocal), Contains("SUBSCRIBE a/# q1 retain-handling 1"));
  bench.lose(kRemote);
  bench.come_up(kRemote, false);
  EXPECT_THAT(bench.sent(kLocal), Contains("SUBSCRIBE a/# q1 retain-handling 0"));
}

TEST(Relay, TellsAnOldBrokerThatABridgeComesUnlessItRefusesThat) {
  RelayOptions options = RelayBench::options({"# both 1"});
  options.remote.version = Version::V311;
  RelayBench bench(options);
  bench.come_up(kLocal);
  bench.open(kRemote);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre("CONNECT wakemq.b bridge"));
  bench.give(kRemote, Connack{false, ReasonCode::UnsupportedProtocolVersion, {}});
  EXPECT_THAT(bench.cut, ElementsAre(kRemote));
  bench.open(kRemote);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre("CONNECT wakemq.b"));
  bench.give(kRemote, Connack{});
  EXPECT_THAT(bench.events, ElementsAre("bridge.not_connected", "bridge.connected", "bridge.echoes"));
}

TEST(Relay, CarriesBothWaysUnderTheOtherSidesNames) {
  RelayBench bench({"# out 1 home/ far/", "# in 1 from/ to/"});
  bench.come_up();
  bench.publish(kLocal, "home/a", "x", 0);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre("PUBLISH far/a 'x' q0 wake-via=us"));
  bench.publish(kRemote, "to/b", "y", 0);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre("PUBLISH from/b 'y' q0 wake-via=us"));
}

TEST(Relay, LeavesOutWhatIsOfThisGatewayAndKeepsTheOtherProperties) {
  RelayBench bench({"# out 1"});
  bench.come_up();
  PublishProperties properties;
  properties.user_properties = {{"wake-id", "7"}, {"colour", "red"}, {"wake-via", "them"}};
  bench.publish(kLocal, "a", "x", 0, 0, false, properties);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre("PUBLISH a 'x' q0 colour=red wake-via=them wake-via=us"));
}

TEST(Relay, LetsNothingInThatHasBeenHereBefore) {
  RelayBench bench({"# both 1"});
  bench.come_up();
  PublishProperties properties;
  properties.user_properties = {{"wake-via", "us"}};
  bench.publish(kRemote, "a", "x", 1, 5, false, properties);
  EXPECT_THAT(bench.sent(kLocal), IsEmpty());
  EXPECT_THAT(bench.sent(kRemote), ElementsAre("PUBACK #5"));
  EXPECT_EQ(bench.relay.status().looped, 1u);
}

TEST(Relay, LetsInOnlyWhatItsTopicsName) {
  RelayBench bench({"a/# in 1", "out/# out 1"});
  bench.come_up();
  bench.publish(kRemote, "b", "x", 1, 5);
  bench.publish(kRemote, "out/x", "x", 2, 6);
  bench.publish(kRemote, "$wake/presence", "x", 0);
  EXPECT_THAT(bench.sent(kLocal), IsEmpty());
  EXPECT_THAT(bench.sent(kRemote), ElementsAre("PUBACK #5", "PUBREC #6"));
  bench.ack(kRemote, PacketType::Pubrel, 6);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre("PUBCOMP #6"));
  EXPECT_EQ(bench.relay.status().unwanted, 3u);
}

TEST(Relay, LetsInNoTopicDeeperThanTheLimit) {
  RelayOptions options = RelayBench::options({"# in 1 x/"});
  options.max_topic_levels = 3;
  RelayBench bench(options);
  bench.come_up();
  bench.publish(kRemote, "a/b", "1", 0);
  bench.publish(kRemote, "a/b/c", "2", 0);
  EXPECT_THAT(bench.sent(kLocal), ElementsAre(StartsWith("PUBLISH x/a/b '1'")));
  EXPECT_EQ(bench.relay.status().in.refused, 1u);
  EXPECT_THAT(bench.events, Contains("bridge.refused"));
}

TEST(Relay, TakesBytesInAnySplit) {
  RelayBench bench({"# in 1"});
  bench.come_up();
  Publish packet;
  packet.topic = "a";
  packet.payload = as_bytes("xyz");
  std::vector<std::byte> bytes;
  write(packet, Version::V5, bytes);
  EXPECT_EQ(bench.give_bytes(kRemote, Bytes(bytes).first(5)), 0u);
  EXPECT_EQ(bench.give_bytes(kRemote, bytes), bytes.size());
  EXPECT_THAT(bench.sent(kLocal), ElementsAre(StartsWith("PUBLISH a 'xyz' q0")));
}

TEST(Relay, GivesUpABrokerThatSendsGarbage) {
  for (const char byte : {'\x00', '\x10', '\xF0', '\x62'}) {
    RelayBench bench({"# both 1"});
    bench.come_up();
    const std::string garbage = std::string(1, byte) + std::string(1, '\0');
    EXPECT_EQ(bench.give_bytes(kRemote, as_bytes(garbage)), 2u);
    EXPECT_THAT(bench.cut, ElementsAre(kRemote)) << int(byte);
    EXPECT_THAT(bench.farewell, ElementsAre(StartsWith("DISCONNECT")));
    EXPECT_THAT(bench.events, Contains("bridge.lost"));
  }
}

TEST(Relay, GivesUpABrokerThatAnnouncesMoreThanItMayBeforeTakingIt) {
  RelayBench bench({"# in 1"});
  bench.come_up();
  bench.give_bytes(kRemote, as_bytes("\x30\xFF\xFF\xFF\x7F"));
  EXPECT_THAT(bench.cut, ElementsAre(kRemote));
  EXPECT_THAT(bench.farewell, ElementsAre("DISCONNECT Packet too large"));
}

TEST(Relay, AsksASilentBrokerForLifeAndThenGivesItUp) {
  RelayBench bench({"# both 1"});
  bench.come_up();
  bench.pass(std::chrono::seconds(60));
  bench.wants_open(kRemote);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre("PINGREQ"));
  bench.give(kRemote, Pingresp{});
  bench.give(kLocal, Pingresp{});
  bench.pass(std::chrono::seconds(60));
  bench.wants_open(kRemote);
  EXPECT_THAT(bench.sent(kRemote), ElementsAre("PINGREQ"));
  EXPECT_THAT(bench.cut, IsEmpty());
  bench.give(kLocal, Pingresp{});
  bench.pass(std::chrono::seconds(60));
  bench.wants_open(kRemote);
  EXPECT_THAT(bench.cut, ElementsAre(kRemote));
}

TEST(Relay, TriesAgainLaterAndLaterAndSoonAfterAGoodWhile) {
  RelayBench bench({"# both 1"});
  bench.come_up(kLocal);
  const auto wait_of_next = [&] {
    const auto before = bench.now.steady;
    EXPECT_FALSE(bench.wants_open(kRemote));
    bench.open(kRemote);
    bench.give(kLocal, Pingresp{});
    return bench.now.steady - before;
  };
  bench.open(kRemote);
  auto least = std::chrono::milliseconds(500);
  for (int i = 0; i < 8; ++i) {
    bench.lose(kRemote);
    const auto waited = wait_of_next();
    EXPECT_GE(waited, least);
    EXPECT_LE(waited, 2 * least + std::chrono::milliseconds(50));
    least = std::min(2 * least, std::chrono::milliseconds(30'000));
  }
  bench.give(kRemote, Connack{});
  bench.pass(std::chrono::seconds(31));
  bench.lose(kRemote);
  EXPECT_LE(wait_of_next(), std::chrono::milliseconds(1050));
}

TEST(Relay, GivesUpWhatIsNotOpenedOrAnsweredInTime) {
  RelayBench bench({"# both 1"});
  bench.come_up(kLocal);
  EXPECT_TRUE(bench.wants_open(kRemote));
  bench.pass(std::chrono::seconds(10));
  bench.wants_open(kRemote);
  EXPECT_THAT(bench.cut, ElementsAre(kRemote));
  bench.open(kRemote);
  bench.cut.clear();
  bench.pass(std::chrono::seconds(10));
  bench.wants_open(kRemote);
  EXPECT_THAT(bench.cut, ElementsAre(kRemote));
  EXPECT_THAT(bench.events, ElementsAre("bridge.not_connected", "bridge.not_connected"));
}

TEST(Relay, SaysWhatWasRefused) {
  RelayBench bench({"a in 1", "b in 1"});
  bench.come_up();
  bench.give(kRemote, Suback{{101}, {ReasonCode::GrantedQos1, ReasonCode::NotAuthorized}, {}, {}});
  EXPECT_THAT(bench.events, ElementsAre("bridge.connected", "bridge.not_subscribed"));
}

TEST(Relay, SaysGoodbyeAndOpensNothingAgain) {
  RelayBench bench({"# both 1"});
  bench.come_up();
  bench.relay.end(bench.now);
  bench.pass(std::chrono::hours(1));
  EXPECT_FALSE(bench.wants_open(kRemote));
  EXPECT_THAT(bench.cut, ElementsAre(kLocal, kRemote));
  EXPECT_THAT(bench.farewell, ElementsAre("DISCONNECT Success"));
  EXPECT_EQ(bench.relay.next_deadline(), SteadyTime::max());
}

TEST(Relay, UnsubscribesWhatWasTakenOutOfItsLines) {
  RelayOptions options = RelayBench::options({"in/# in 1"});
  options.former_filters = {"old/#"};
  RelayBench fresh(options);
  EXPECT_THAT(fresh.come_up(kRemote, false), Each(Not(StartsWith("UNSUBSCRIBE")))) << "nothing is there";
  RelayBench kept(options);
  EXPECT_THAT(kept.come_up(kRemote, true), Contains("UNSUBSCRIBE old/#"));
  kept.give(kRemote, Unsuback{PacketId{102}, {ReasonCode::Success}, {}, {}});
  EXPECT_TRUE(kept.relay.status().is_connected);
}

TEST(Relay, BeginsAgainAfterItsEnd) {
  RelayBench bench({"out/# out 1"});
  bench.come_up();
  bench.relay.end(bench.now);
  EXPECT_FALSE(bench.relay.status().is_connected);
  bench.relay.begin();
  bench.come_up();
  EXPECT_TRUE(bench.relay.status().is_connected);
}

}  // namespace
}  // namespace wake::broker
