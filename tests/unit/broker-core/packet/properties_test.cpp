#include "broker-core/packet/properties.hpp"

#include "wire.hpp"

namespace wake::broker {
namespace {

struct Outcome {
  ReasonCode reason;
  Properties properties;
};

Outcome parse_block(const WireBytes& bytes, PacketType packet) {
  Outcome outcome{ReasonCode::Success, {}};
  Reader in{Bytes(bytes)};
  outcome.reason = parse(in, packet, outcome.properties);
  return outcome;
}

ReasonCode verdict(std::string_view text, PacketType packet) {
  return parse_block(wire(text), packet).reason;
}

TEST(Properties, ReadsAllOfConnack) {
  WireBytes exact = wire(
      "00"                      // property length, put in below
      "11 0000003C"             // session expiry interval
      "12 0002 'id'"            // assigned client identifier
      "13 001E"                 // server keep alive
      "15 0001 'm'"             // authentication method
      "16 0002 00FF"            // authentication data
      "1A 0001 'r'"             // response information
      "1C 0001 's'"             // server reference
      "1F 0002 'no'"            // reason string
      "21 0064"                 // receive maximum
      "22 000A"                 // topic alias maximum
      "24 01"                   // maximum QoS
      "25 01"                   // retain available
      "27 00100000"             // maximum packet size
      "28 01"                   // wildcard subscription available
      "29 00"                   // subscription identifiers available
      "2A 01"                   // shared subscription available
      "26 0001 'k' 0001 'v'");  // user property
  exact[0] = static_cast<std::byte>(exact.size() - 1);
  const auto [reason, properties] = parse_block(exact, PacketType::Connack);
  ASSERT_EQ(reason, ReasonCode::Success);
  EXPECT_EQ(properties.session_expiry_s, 60u);
  EXPECT_EQ(properties.assigned_client_id, "id");
  EXPECT_EQ(properties.server_keep_alive_s, 30);
  EXPECT_EQ(properties.authentication_method, "m");
  EXPECT_EQ(hex(properties.authentication_data.value()), "00 FF ");
  EXPECT_EQ(properties.response_information, "r");
  EXPECT_EQ(properties.server_reference, "s");
  EXPECT_EQ(properties.reason_string, "no");
  EXPECT_EQ(properties.receive_maximum, 100);
  EXPECT_EQ(properties.topic_alias_maximum, 10);
  EXPECT_EQ(properties.maximum_qos, 1);
  EXPECT_EQ(properties.retain_available, true);
  EXPECT_EQ(properties.maximum_packet_bytes, 0x100000u);
  EXPECT_EQ(properties.wildcard_subscription_available, true);
  EXPECT_EQ(properties.subscription_id_available, false);
  EXPECT_EQ(properties.shared_subscription_available, true);
  ASSERT_EQ(properties.user_properties.size(), 1u);
  EXPECT_EQ(properties.user_properties[0], UserProperty("k", "v"));
  WireBytes out;
  write(properties, out);
  EXPECT_EQ(hex(out), hex(exact));
}

TEST(Properties, EachStandsOnlyWhereTheTableAllowsIt) {  // v5 table 2-4
  EXPECT_EQ(verdict("05 11 00000001", PacketType::Connect), ReasonCode::Success);
  EXPECT_EQ(verdict("05 11 00000001", PacketType::Disconnect), ReasonCode::Success);
  EXPECT_EQ(verdict("05 11 00000001", PacketType::Puback), ReasonCode::MalformedPacket);
  EXPECT_EQ(verdict("02 0B 01", PacketType::Subscribe), ReasonCode::Success);
  EXPECT_EQ(verdict("02 0B 01", PacketType::Unsubscribe), ReasonCode::MalformedPacket);
  EXPECT_EQ(verdict("02 24 01", PacketType::Connect), ReasonCode::MalformedPacket);
  EXPECT_EQ(verdict("03 1F 0000", PacketType::Connect), ReasonCode::MalformedPacket);
  EXPECT_EQ(verdict("05 18 00000001", PacketType::Connect), ReasonCode::MalformedPacket);  // the will's
}

struct AllowedRow {
  PacketType packet;
  int count;
};

TEST(Properties, AreAsManyPerPacketAsTheTableHas) {  // v5 table 2-4, counted by column
  for (const AllowedRow& row : {AllowedRow{PacketType::Connect, 9},
                                {PacketType::Connack, 17},
                                {PacketType::Publish, 8},
                                {PacketType::Puback, 2},
                                {PacketType::Pubrec, 2},
                                {PacketType::Pubrel, 2},
                                {PacketType::Pubcomp, 2},
                                {PacketType::Subscribe, 2},
                                {PacketType::Suback, 2},
                                {PacketType::Unsubscribe, 1},
                                {PacketType::Unsuback, 2},
                                {PacketType::Disconnect, 4},
                                {PacketType::Auth, 4},
                                {PacketType::Pingreq, 0}}) {
    int count = 0;
    for (unsigned id = 0; id < 64; ++id)
      count += is_property_allowed(static_cast<PropertyId>(id), row.packet);
    EXPECT_EQ(count, row.count) << row.packet;
  }
}

TEST(Properties, AreNotRepeated) {
  EXPECT_EQ(verdict("0A 11 00000001 11 00000001", PacketType::Connect), ReasonCode::ProtocolError);
  EXPECT_EQ(verdict("06 21 0001 21 0001", PacketType::Connect), ReasonCode::ProtocolError);
  EXPECT_EQ(verdict("04 0B01 0B02", PacketType::Subscribe), ReasonCode::ProtocolError);
}

TEST(Properties, UserPropertiesRepeatInOrder) {
  CLAUSE("v5", "MQTT-3.1.3-10");
  const WireBytes bytes = wire("15 26 0001 'k' 0001 '1'  26 0001 'a' 0001 '2'  26 0001 'k' 0001 '3'");
  const auto [reason, properties] = parse_block(bytes, PacketType::Connect);
  ASSERT_EQ(reason, ReasonCode::Success);
  const std::vector<UserProperty> expected = {{"k", "1"}, {"a", "2"}, {"k", "3"}};
  EXPECT_EQ(properties.user_properties, expected);
}

TEST(Properties, RefusesValuesOutOfRange) {
  for (const char* text : {"03 21 0000", "05 27 00000000", "02 17 02", "02 19 FF"}) {
    EXPECT_EQ(verdict(text, PacketType::Connect), ReasonCode::ProtocolError) << text;
  }
  EXPECT_EQ(verdict("02 24 02", PacketType::Connack), ReasonCode::ProtocolError);
  EXPECT_EQ(verdict("02 0B 00", PacketType::Subscribe), ReasonCode::ProtocolError);
}

TEST(Properties, RefusesWhatIsUnknownOrCut) {
  for (const char* text : {"", "01", "80", "01 00", "01 7F", "02 FF01", "02 A600", "01 11", "04 11 000000",
                           "04 26 0001 'k'", "03 15 0001", "05 11 000000", "04 15 0001 FF"}) {
    EXPECT_EQ(verdict(text, PacketType::Connect), ReasonCode::MalformedPacket) << text;
  }
}

TEST(Properties, LengthZeroIsNone) {
  EXPECT_EQ(verdict("00", PacketType::Connect), ReasonCode::Success);
  WireBytes out;
  write(Properties{}, out);
  EXPECT_EQ(hex(out), "00 ");
}

ReasonCode verdict_of_user_properties(std::size_t count) {
  WireBytes bytes;
  write_with_length(bytes, [&](Writer& out) {
    for (std::size_t i = 0; i < count; ++i) out.raw(Bytes(wire("26 0000 0000")));
  });
  return parse_block(bytes, PacketType::Connect).reason;
}

TEST(Properties, HoldsUserPropertiesUpToTheLimit) {
  EXPECT_EQ(verdict_of_user_properties(kMaxUserProperties - 1), ReasonCode::Success);
  EXPECT_EQ(verdict_of_user_properties(kMaxUserProperties), ReasonCode::Success);
  EXPECT_EQ(verdict_of_user_properties(kMaxUserProperties + 1), ReasonCode::QuotaExceeded);
}

}  // namespace
}  // namespace wake::broker
