#include "broker-core/packet/publish_template.hpp"

#include "wire.hpp"

namespace wake::broker {
namespace {

const std::string kForwarded = [] {
  std::string bytes;
  append_user_property(bytes, "k", "v");
  return bytes;
}();
constexpr std::uint32_t kSubscriptions[] = {3, 200};

PublishParts full_parts(Version version, Qos qos) {
  PublishParts parts;
  parts.version = version;
  parts.qos = qos;
  parts.retain = true;
  parts.topic = "a/b";
  parts.payload = as_bytes("hi");
  parts.forwardable_properties = kForwarded;
  parts.message_expiry_s = 60;
  parts.subscription_ids = kSubscriptions;
  return parts;
}

TEST(PublishTemplate, IsThePacketWithAHoleForTheId) {
  const PublishTemplate made = make_publish_template(full_parts(Version::V5, Qos::AtLeastOnce));
  EXPECT_EQ(hex(made.bytes), hex(wire("33"                    // PUBLISH, QoS 1, retain
                                      "1B"                    // remaining length
                                      "0003 'a/b'"            // topic
                                      "0000"                  // packet id: the hole
                                      "11"                    // property length
                                      "02 0000003C"           // message expiry
                                      "0B 03"                 // subscription identifier
                                      "0B C801"               // and another
                                      "26 0001 'k' 0001 'v'"  // forwarded
                                      "'hi'")));
  EXPECT_EQ(made.packet_id_offset, 7u);
  EXPECT_EQ(made.head().size(), 7u);
  EXPECT_EQ(made.head().size() + 2 + made.tail().size(), made.bytes.size());
}

TEST(PublishTemplate, OldVersionsHaveNoProperties) {
  const PublishTemplate made = make_publish_template(full_parts(Version::V311, Qos::AtMostOnce));
  EXPECT_EQ(hex(made.bytes), hex(wire("31 07 0003 'a/b' 'hi'")));
  EXPECT_EQ(made.packet_id_offset, 0u);
  EXPECT_EQ(made.head().size(), made.bytes.size());
  EXPECT_TRUE(made.tail().empty());
}

TEST(PublishTemplate, OnlyIdAndDupDifferBetweenReceivers) {
  const PublishTemplate made = make_publish_template(full_parts(Version::V311, Qos::ExactlyOnce));
  WireBytes out;
  append_publish(made, PacketId{0x0102}, false, out);
  append_publish(made, PacketId{0xFFFE}, true, out);
  EXPECT_EQ(hex(out), hex(wire("35 09 0003 'a/b' 0102 'hi'  3D 09 0003 'a/b' FFFE 'hi'")));
}

TEST(PublishTemplate, APacketForOneIsTheSameBytes) {
  for (const Version version : {Version::V311, Version::V5}) {
    for (const Qos qos : {Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce}) {
      for (const std::size_t payload_bytes : {0u, 1u, 100u, 130u, 20'000u}) {
        const std::string payload(payload_bytes, 'p');
        PublishParts parts = full_parts(version, qos);
        parts.payload = as_bytes(payload);
        parts.dup = qos != Qos::AtMostOnce;
        WireBytes shared = wire("AA"), own = wire("AA");
        append_publish(make_publish_template(parts), PacketId{0x0102}, parts.dup, shared);
        append_publish_head(parts, PacketId{0x0102}, own);
        own.insert(own.end(), parts.payload.begin(), parts.payload.end());
        EXPECT_EQ(hex(own), hex(shared));
      }
    }
  }
}

TEST(PublishTemplate, DupIsNotForQos0) {
  CLAUSE("v5", "MQTT-3.3.1-2");
  PublishParts parts = full_parts(Version::V311, Qos::AtMostOnce);
  parts.dup = true;
  WireBytes out;
  append_publish(make_publish_template(parts), PacketId{9}, true, out);
  EXPECT_EQ(hex(out), hex(wire("31 07 0003 'a/b' 'hi'")));
}

TEST(PublishTemplate, SaysItsSizeWithoutBeingMade) {
  for (const Version version : {Version::V31, Version::V311, Version::V5}) {
    for (const Qos qos : {Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce}) {
      const std::string payload(20'000, 'x');
      for (const std::size_t size : {0u, 90u, 110u, 130u, 20'000u}) {
        PublishParts parts = full_parts(version, qos);
        parts.payload = as_bytes(std::string_view(payload).substr(0, size));
        const PublishTemplate made = make_publish_template(parts);
        EXPECT_EQ(publish_packet_bytes(parts), made.bytes.size());
        EXPECT_EQ(made.bytes.capacity(), made.bytes.size()) << "one allocation of the exact size";
      }
    }
  }
}

TEST(PublishTemplate, ReadsBackAsThePublishItSays) {
  const PublishTemplate made = make_publish_template(full_parts(Version::V5, Qos::AtLeastOnce));
  WireBytes out;
  append_publish(made, PacketId{5}, true, out);
  const auto publish = parsed<Publish>(out);
  EXPECT_TRUE(publish.dup && publish.retain);
  EXPECT_EQ(publish.packet_id, PacketId{5});
  EXPECT_EQ(publish.properties.message_expiry_s, 60u);
  EXPECT_EQ(publish.properties.subscription_ids, (std::vector<std::uint32_t>{3, 200}));
  EXPECT_EQ(forwardable_properties(publish.properties), kForwarded);
  EXPECT_EQ(as_text(publish.payload), "hi");
}

}  // namespace
}  // namespace wake::broker
