#include "broker-core/packet/unsubscribe.hpp"

#include "broker-core/packet/subscribe.hpp"
#include "wire.hpp"

namespace wake::broker {
namespace {

TEST(UnsubscribeParse, ReadsFiltersInOrder) {
  const WireBytes bytes = wire("A2 0A 0001 0003 'a/b' 0001 '#'");
  const auto unsubscribe = parsed<Unsubscribe>(bytes, Version::V311);
  EXPECT_EQ(unsubscribe.packet_id, PacketId{1});
  EXPECT_EQ(unsubscribe.filters, (std::vector<std::string_view>{"a/b", "#"}));
  expect_sound<Unsubscribe>(bytes, Version::V311, {7});
  expect_sound<Unsubscribe>(bytes, Version::V31, {7});
}

TEST(UnsubscribeParse, ReadsUserPropertiesOfV5) {
  const WireBytes bytes = wire("A2 0D 0001 07 26 0001 'k' 0001 'v' 0001 '#'");
  EXPECT_EQ(parsed<Unsubscribe>(bytes).user_properties.size(), 1u);
  expect_sound<Unsubscribe>(bytes);
}

TEST(UnsubscribeParse, RefusesWrongFlagsAndIdZero) {
  CLAUSE("v5", "MQTT-3.10.1-1");
  EXPECT_EQ(refusal(wire("A0 05 0001 0001 '#'"), Version::V311), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("AA 05 0001 0001 '#'"), Version::V311), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("AA 05 0001 0001 '#'"), Version::V31), ReasonCode::Success);
  EXPECT_EQ(refusal(wire("A2 05 0000 0001 '#'"), Version::V311), ReasonCode::ProtocolError);
}

TEST(UnsubscribeParse, RefusesNoFilterAtAll) {
  CLAUSE("v5", "MQTT-3.10.3-2");
  EXPECT_EQ(refusal(wire("A2 02 0001"), Version::V311), ReasonCode::ProtocolError);
  EXPECT_EQ(refusal(wire("A2 03 0001 00")), ReasonCode::ProtocolError);
}

ReasonCode verdict_of_unsubscribing(std::size_t count) {
  Unsubscribe unsubscribe;
  unsubscribe.packet_id = PacketId{1};
  unsubscribe.filters.assign(count, "t");
  WireBytes bytes;
  write(unsubscribe, Version::V311, bytes);
  return refusal(bytes, Version::V311);
}

TEST(UnsubscribeParse, HoldsFiltersUpToTheLimit) {
  EXPECT_EQ(verdict_of_unsubscribing(kMaxFiltersPerPacket - 1), ReasonCode::Success);
  EXPECT_EQ(verdict_of_unsubscribing(kMaxFiltersPerPacket), ReasonCode::Success);
  EXPECT_EQ(verdict_of_unsubscribing(kMaxFiltersPerPacket + 1), ReasonCode::QuotaExceeded);
}

}  // namespace
}  // namespace wake::broker
