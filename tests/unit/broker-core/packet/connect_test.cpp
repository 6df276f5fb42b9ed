#include "broker-core/packet/connect.hpp"

#include "wire.hpp"

namespace wake::broker {
namespace {

const WireBytes kV311 = wire(
    "10"            // CONNECT
    "25"            // remaining length
    "0004 'MQTT'"   // protocol name
    "04"            // level
    "F6"            // username | password | will retain | will QoS 2 | will | clean
    "003C"          // keep alive
    "0005 'phone'"  // client id
    "0003 'a/b'"    // will topic
    "0003 'bye'"    // will payload
    "0003 'ann'"    // user name
    "0003 'pwd'");  // password

const WireBytes kV31 = wire(
    "10"             // CONNECT
    "13"             // remaining length
    "0006 'MQIsdp'"  // protocol name
    "03"             // level
    "02"             // clean session
    "000A"           // keep alive
    "0005 'phone'");

const WireBytes kV5 = wire(
    "10"               // CONNECT
    "3B"               // remaining length
    "0004 'MQTT'"      // protocol name
    "05"               // level
    "CE"               // username | password | will QoS 1 | will | clean
    "001E"             // keep alive
    "0D"               // property length
    "11 FFFFFFFF"      // session expiry: never
    "21 0014"          // receive maximum
    "27 00001000"      // maximum packet size
    "0001 'p'"         // client id
    "0F"               // will property length
    "18 00000005"      // will delay
    "02 00000E10"      // message expiry
    "03 0002 'ct'"     // content type
    "0001 't'"         // will topic
    "0002 0001"        // will payload
    "0001 'u'"         // user name
    "0004 00FF00FF");  // password: any bytes

TEST(ConnectParse, ReadsEverythingOfV311) {
  const auto connect = parsed<Connect>(kV311);
  EXPECT_EQ(connect.version, Version::V311);
  EXPECT_TRUE(connect.clean_start);
  EXPECT_EQ(connect.keep_alive_s, 60);
  EXPECT_EQ(connect.client_id, "phone");
  ASSERT_TRUE(connect.will);
  EXPECT_EQ(connect.will->qos, Qos::ExactlyOnce);
  EXPECT_TRUE(connect.will->retain);
  EXPECT_EQ(connect.will->topic, "a/b");
  EXPECT_EQ(as_text(connect.will->payload), "bye");
  EXPECT_EQ(connect.username, "ann");
  ASSERT_TRUE(connect.password);
  EXPECT_EQ(as_text(*connect.password), "pwd");
  expect_sound<Connect>(kV311, Version::V311);
}

TEST(ConnectParse, ReadsTheOldProtocolName) {  // v3.1 §3.1
  const auto connect = parsed<Connect>(kV31);
  EXPECT_EQ(connect.version, Version::V31);
  EXPECT_EQ(connect.keep_alive_s, 10);
  EXPECT_EQ(connect.client_id, "phone");
  EXPECT_FALSE(connect.will || connect.username || connect.password);
  expect_sound<Connect>(kV31, Version::V31);
}

TEST(ConnectParse, ReadsPropertiesOfV5) {
  const auto connect = parsed<Connect>(kV5);
  EXPECT_EQ(connect.version, Version::V5);
  EXPECT_EQ(connect.properties.session_expiry_s, 0xFFFFFFFFu);
  EXPECT_EQ(connect.properties.receive_maximum, 20);
  EXPECT_EQ(connect.properties.maximum_packet_bytes, 4096u);
  ASSERT_TRUE(connect.will);
  EXPECT_EQ(connect.will->delay_s, 5u);
  EXPECT_EQ(connect.will->properties.message_expiry_s, 3600u);
  EXPECT_EQ(connect.will->properties.content_type, "ct");
  EXPECT_EQ(hex(connect.will->payload), "00 01 ");
  EXPECT_EQ(hex(connect.password.value()), "00 FF 00 FF ");
  expect_sound<Connect>(kV5, Version::V5);
}

TEST(ConnectParse, VersionIsThePacketsOwn) {
  EXPECT_EQ(parsed<Connect>(kV5, Version::V31).version, Version::V5);
  EXPECT_EQ(parsed<Connect>(kV31, Version::V5).version, Version::V31);
}

TEST(ConnectParse, KnowsABridgeOf3xByItsLevel) {
  const WireBytes bytes = wire("10 0C 0004 'MQTT' 84 02 003C 0000");
  const auto connect = parsed<Connect>(bytes);
  EXPECT_EQ(connect.version, Version::V311);
  EXPECT_TRUE(connect.is_bridge);
  EXPECT_FALSE(parsed<Connect>(kV311).is_bridge);
  WireBytes written;
  write(connect, Version::V311, written);
  EXPECT_EQ(hex(written), hex(bytes));
  const WireBytes v31 = wire("10 0E 0006 'MQIsdp' 83 02 003C 0000");
  EXPECT_TRUE(parsed<Connect>(v31).is_bridge);
}

TEST(ConnectParse, RefusesLevelsWeDoNotSpeak) {
  CLAUSE("v3.1.1", "MQTT-3.1.2-2");
  for (const char* level : {"00", "03", "06", "83", "85"}) {
    const WireBytes bytes = wire(std::string("10 0C 0004 'MQTT'") + level + "02 003C 0000");
    EXPECT_EQ(refusal(bytes), ReasonCode::UnsupportedProtocolVersion) << level;
  }
  EXPECT_EQ(refusal(wire("10 0E 0006 'MQIsdp' 04 02 003C 0000")), ReasonCode::UnsupportedProtocolVersion);
}

TEST(ConnectParse, RefusesOtherProtocolNames) {
  CLAUSE("v5", "MQTT-3.1.2-1");
  EXPECT_EQ(refusal(wire("10 0C 0004 'mqtt' 04 02 003C 0000")), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("10 0B 0003 'MQT' 04 02 003C 0000")), ReasonCode::MalformedPacket);
}

WireBytes with_flags(const char* level, const char* flags) {
  const std::string properties = std::string(level) == "05" ? "00" : "";
  const std::string body = std::string("0004 'MQTT'") + level + flags + "003C" + properties + "0001 'c'";
  WireBytes bytes = wire("10 00" + body);
  bytes[1] = static_cast<std::byte>(bytes.size() - 2);
  return bytes;
}

TEST(ConnectParse, RefusesTheReservedFlag) {
  CLAUSE("v5", "MQTT-3.1.2-3");
  EXPECT_EQ(refusal(with_flags("04", "02")), ReasonCode::Success);
  EXPECT_EQ(refusal(with_flags("04", "03")), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(with_flags("05", "03")), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("10 0F 0006 'MQIsdp' 03 03 003C 0001 'c'")),
            ReasonCode::Success);  // v3.1 has no such rule
}

TEST(ConnectParse, RefusesWillBitsWithoutAWill) {  // v5 [MQTT-3.1.2-11], [MQTT-3.1.2-13]
  for (const char* flags : {"0A", "12", "22"}) {
    EXPECT_EQ(refusal(with_flags("04", flags)), ReasonCode::MalformedPacket) << flags;
    EXPECT_EQ(refusal(with_flags("05", flags)), ReasonCode::MalformedPacket) << flags;
  }
}

TEST(ConnectParse, RefusesWillQos3) {
  CLAUSE("v5", "MQTT-3.1.2-12");
  WireBytes bytes = kV311;
  bytes[9] = std::byte{0xFE};
  EXPECT_EQ(refusal(bytes), ReasonCode::MalformedPacket);
}

TEST(ConnectParse, PasswordAloneIsForV5) {
  CLAUSE("v3.1.1", "MQTT-3.1.2-22");
  EXPECT_EQ(refusal(wire("10 10 0004 'MQTT' 04 42 003C 0001 'c' 0001 'p'")), ReasonCode::MalformedPacket);
  const WireBytes v5 = wire("10 11 0004 'MQTT' 05 42 003C 00 0001 'c' 0001 'p'");
  const auto connect = parsed<Connect>(v5);
  EXPECT_FALSE(connect.username);
  EXPECT_EQ(as_text(connect.password.value()), "p");
  expect_same_bytes<Connect>(v5);
}

TEST(ConnectParse, OldClientsMayLeaveAnnouncedCredentialsOut) {  // v3.1 §3.1
  const WireBytes none = wire("10 0F 0006 'MQIsdp' 03 C2 003C 0001 'c'");
  EXPECT_FALSE(parsed<Connect>(none).username);
  const WireBytes name_only = wire("10 12 0006 'MQIsdp' 03 C2 003C 0001 'c' 0001 'u'");
  EXPECT_EQ(parsed<Connect>(name_only).username, "u");
  EXPECT_FALSE(parsed<Connect>(name_only).password);
  EXPECT_EQ(refusal(with_flags("04", "C2")), ReasonCode::MalformedPacket);
}

TEST(ConnectParse, RefusesHeaderFlagsAndTrailingBytes) {
  CLAUSE("v5", "MQTT-2.1.3-1");
  WireBytes flagged = kV311;
  flagged[0] = std::byte{0x11};
  EXPECT_EQ(refusal(flagged), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("10 0D 0004 'MQTT' 04 02 003C 0000 00")), ReasonCode::MalformedPacket);
}

TEST(ConnectParse, RefusesTextThatIsNone) {  // v5 [MQTT-3.1.3-4], [MQTT-3.1.3-11], [MQTT-3.1.3-12]
  EXPECT_EQ(refusal(wire("10 0D 0004 'MQTT' 04 02 003C 0001 FF")), ReasonCode::MalformedPacket);
  EXPECT_EQ(refusal(wire("10 11 0004 'MQTT' 04 82 003C 0001 'c' 0002 C080")), ReasonCode::MalformedPacket);
}

TEST(ConnectParse, AuthenticationDataNeedsAMethod) {  // v5 §3.1.2.11.10
  EXPECT_EQ(refusal(wire("10 12 0004 'MQTT' 05 02 003C 04 16 0001 'd' 0001 'c'")), ReasonCode::ProtocolError);
  EXPECT_EQ(refusal(wire("10 16 0004 'MQTT' 05 02 003C 08 15 0001 'm' 16 0001 'd' 0001 'c'")),
            ReasonCode::Success);
}

Connect with_id(Version version, bool clean_start, std::string_view id) {
  Connect connect;
  connect.version = version;
  connect.clean_start = clean_start;
  connect.client_id = id;
  return connect;
}

TEST(ClientIdVerdict, EmptyNeedsV5OrACleanSession) {
  CLAUSE("v3.1.1", "MQTT-3.1.3-8");
  constexpr auto kRefused = ReasonCode::ClientIdentifierNotValid;
  EXPECT_EQ(client_id_verdict(with_id(Version::V5, false, "")), ReasonCode::Success);
  EXPECT_EQ(client_id_verdict(with_id(Version::V311, true, "")), ReasonCode::Success);
  EXPECT_EQ(client_id_verdict(with_id(Version::V311, false, "")), kRefused);
  EXPECT_EQ(client_id_verdict(with_id(Version::V31, true, "")), kRefused);
  EXPECT_EQ(client_id_verdict(with_id(Version::V31, false, "longer-than-twenty-three-bytes")),
            ReasonCode::Success);
}

}  // namespace
}  // namespace wake::broker
