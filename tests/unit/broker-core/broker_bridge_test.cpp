// What the broker does for bridges: those of other brokers that come to it, and what its own have carried
// away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker-core/bridge/via.hpp"
#include "tests/support/simulated_world.hpp"

namespace wake::broker {
namespace {

using test::Client;
using test::World;

TEST(BrokerBridge, SendsABridgeOf3xNothingOfItsOwn) {
  World world;
  Client& bridge = world.client("bridge");
  world.open(bridge, Version::V311, 0);
  Connect connect;
  connect.client_id = "bridge";
  connect.is_bridge = true;
  world.send(bridge, connect);
  world.subscribe(bridge, "#", Qos::AtLeastOnce);
  Client& other = world.connect("other");
  world.publish(bridge, "a", "its own", Qos::AtLeastOnce);
  world.publish(other, "a", "another's", Qos::AtLeastOnce, 1, true);
  EXPECT_THAT(bridge.payloads(), testing::ElementsAre("another's"));
  EXPECT_TRUE(bridge.received.at(0).retain) << "retained as published";
}

/// One broker with a mark, one client of it.
class MarkedBroker : public testing::Test {
 protected:
  ReasonCode answer_to_publish(const std::string& protocol, const std::string& via) {
    const ConnectionId id = broker_.accept({.protocol = protocol}, now_);
    Connect connect;
    connect.client_id = "c";
    Publish publish;
    publish.topic = "a";
    publish.qos = Qos::AtLeastOnce;
    publish.packet_id = {1};
    publish.properties.user_properties = {{kViaProperty, via}};
    std::vector<std::byte> bytes;
    write(connect, Version::V5, bytes);
    broker_.on_bytes(id, bytes, now_);
    AuthOutcome all{AuthOutcome::Kind::Allowed, {}, {}};
    all.grants.is_superuser = true;
    broker_.on_authenticated(id, all, now_);
    bytes.clear();
    Subscribe subscribe;
    subscribe.packet_id = {2};
    subscribe.requests.push_back({.filter = "a", .qos = Qos::AtMostOnce});
    write(subscribe, Version::V5, bytes);
    write(publish, Version::V5, bytes);
    broker_.on_bytes(id, bytes, now_);
    return puback(broker_.output(id));
  }

 private:
  static ReasonCode puback(Outbound& output) {
    std::vector<std::byte> bytes;
    std::array<Bytes, 16> pieces;
    for (std::size_t i = 0, count = output.gather(pieces.data(), pieces.size()); i < count; ++i) {
      bytes.insert(bytes.end(), pieces[i].begin(), pieces[i].end());
    }
    for (Bytes in(bytes); !in.empty();) {
      const ParseResult result = parse(in, Version::V5, 1 << 20);
      const auto* packet = std::get_if<Packet>(&result);
      if (packet == nullptr) break;
      if (const auto* ack = std::get_if<Ack>(packet)) return ack->reason;
    }
    ADD_FAILURE() << "no PUBACK";
    return ReasonCode::UnspecifiedError;
  }

  Now now_{SteadyTime(std::chrono::hours(1)), UtcTime(std::chrono::hours(1))};
  Broker broker_{{}, {}, ShardIdentity{.shard = 0, .shard_count = 1, .node = 0, .seed = 1, .mark = "us"}};
};

TEST_F(MarkedBroker, DropsWhatWasCarriedAwayByItsBridgesAndComesBack) {
  EXPECT_EQ(answer_to_publish("mqtt", "us"), ReasonCode::NoMatchingSubscribers);
}

TEST_F(MarkedBroker, TakesWhatPassedOthers) {
  EXPECT_EQ(answer_to_publish("mqtt", "them"), ReasonCode::Success);
}

TEST_F(MarkedBroker, TakesWhatItsOwnBridgesHaveMarked) {
  EXPECT_EQ(answer_to_publish("bridge", "us"), ReasonCode::Success);
}

}  // namespace
}  // namespace wake::broker
