#include "gateway/observe/sys_topics.hpp"

#include <gmock/gmock.h>

namespace wake::gateway {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using namespace std::chrono_literals;

using Values = std::map<std::string, std::string>;

Values to_map(const std::vector<broker::SysValue>& values) {
  Values map;
  for (const auto& value : values) map[value.topic] = value.payload;
  return map;
}

SysReading two_shards() {
  SysReading reading{.shards = std::vector<ShardSnapshot>(2), .bridges = {}};
  for (ShardSnapshot& shard : reading.shards) {
    shard.broker.sessions = 5;
    shard.broker.clients_connected = 3;
    shard.broker.publishes_received = 60;
    shard.broker.retained = 7;
    shard.broker.retained_bytes = 700;
    shard.broker.queued_messages = 4;
    shard.broker.queued_bytes = 40;
    shard.sockets_opened = 30;
    shard.sockets.bytes_sent = 100;
  }
  return reading;
}

constexpr broker::SteadyTime kStart{1000h};

TEST(SysTopics, SumsTheShardsUnderMosquittosNames) {
  SysTopics topics("1.2.3", kStart);
  const Values values = to_map(topics.update(two_shards(), kStart + 60s));
  EXPECT_THAT(values, Contains(Pair("$SYS/broker/version", "wakemq version 1.2.3")));
  EXPECT_THAT(values, Contains(Pair("$SYS/broker/uptime", "60 seconds")));
  EXPECT_THAT(values, Contains(Pair("$SYS/broker/clients/total", "10")));
  EXPECT_THAT(values, Contains(Pair("$SYS/broker/clients/connected", "6")));
  EXPECT_THAT(values, Contains(Pair("$SYS/broker/clients/disconnected", "4")));
  EXPECT_THAT(values, Contains(Pair("$SYS/broker/publish/messages/received", "120")));
  EXPECT_THAT(values, Contains(Pair("$SYS/broker/bytes/sent", "200")));
  EXPECT_THAT(values, Contains(Pair("$SYS/broker/retained messages/count", "7"))) << "each shard has all";
}

TEST(SysTopics, TellsWhatIsStoredAndHowManySocketsWereOpened) {
  SysTopics topics("1", kStart);
  const Values values = to_map(topics.update(two_shards(), kStart + 60s));
  EXPECT_THAT(values, Contains(Pair("$SYS/broker/store/messages/count", "15")));
  EXPECT_THAT(values, Contains(Pair("$SYS/broker/messages/stored", "15")));
  EXPECT_THAT(values, Contains(Pair("$SYS/broker/store/messages/bytes", "780")));
  EXPECT_THAT(values, Contains(Pair("$SYS/broker/load/sockets/1min", "37.93"))) << "60 (1 - 1/e)";
  EXPECT_THAT(values, Contains(Pair("$SYS/broker/load/sockets/15min", testing::_)));
}

TEST(SysTopics, TellsWhatHasChangedOnly) {
  SysTopics topics("1", kStart);
  topics.update(two_shards(), kStart);
  EXPECT_THAT(topics.update(two_shards(), kStart), IsEmpty());
  auto reading = two_shards();
  reading.shards[0].broker.clients_connected = 1;
  const Values values = to_map(topics.update(reading, kStart));
  EXPECT_THAT(values, Contains(Pair("$SYS/broker/clients/connected", "4")));
  EXPECT_THAT(values, Not(Contains(Pair("$SYS/broker/clients/total", testing::_))));
  EXPECT_THAT(values, Not(Contains(Pair("$SYS/broker/clients/maximum", testing::_)))) << "was more before";
}

BridgeStatus bridge(bool is_running, bool is_connected) {
  BridgeStatus status{.name = "b", .address = {}, .is_running = is_running, .relay = {}};
  status.relay.is_connected = is_connected;
  return status;
}

TEST(SysTopics, TellsOfBridgesAsMosquittoDoes) {
  const char* const kState = "$SYS/broker/connection/b/state";
  SysTopics topics("1", kStart);
  const auto state = [&](bool is_running, bool is_connected) {
    SysReading reading = two_shards();
    reading.bridges = {bridge(is_running, is_connected)};
    return to_map(topics.update(reading, kStart))[kState];
  };
  EXPECT_EQ(state(false, false), "") << "another gateway runs it, and tells";
  EXPECT_EQ(state(true, false), "0");
  EXPECT_EQ(state(true, true), "1");
  EXPECT_EQ(state(false, false), "0") << "not here any more";
}

TEST(SysTopics, TellsOfTheHeapAndItsMost) {
  SysTopics topics("1", kStart);
  SysReading reading = two_shards();
  reading.heap_bytes = 1000;
  topics.update(reading, kStart);
  reading.heap_bytes = 400;
  const Values values = to_map(topics.update(reading, kStart));
  EXPECT_THAT(values, Contains(Pair("$SYS/broker/heap/current", "400")));
  EXPECT_THAT(values, Not(Contains(Pair("$SYS/broker/heap/maximum", testing::_))));
}

TEST(SysTopics, AveragesTheLoadOverOneFiveAndFifteenMinutes) {
  SysTopics topics("1", kStart);
  // 120 in one minute, from nothing: 120 * (1 - e^-1), (1 - e^-1/5), (1 - e^-1/15).
  const Values values = to_map(topics.update(two_shards(), kStart + 60s));
  EXPECT_THAT(values, Contains(Pair("$SYS/broker/load/publish/received/1min", "75.85")));
  EXPECT_THAT(values, Contains(Pair("$SYS/broker/load/publish/received/5min", "21.75")));
  EXPECT_THAT(values, Contains(Pair("$SYS/broker/load/publish/received/15min", "7.74")));
}

}  // namespace
}  // namespace wake::gateway
