// PUBLISH: v5 §3.3, v3.1.1 §3.3, v3.1 §3.3.
//   0x30 | dup<<3 | qos<<1 | retain,  topic,  packet id when qos > 0,  [v5: properties],  payload
#pragma once

#include <string_view>
#include <vector>

#include "broker-core/packet/publish_properties.hpp"

namespace wake::broker {

/// Views into the read buffer: valid until it moves. The topic is UTF-8, not yet checked as a topic name
/// (wildcards, levels): is_valid_topic_name is the machine's call, since an alias may stand for it.
struct Publish {
  bool dup = false;
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  std::string_view topic;  // empty only in v5 and only with a topic alias
  PacketId packet_id;      // 0 for QoS 0
  PublishProperties properties;
  Bytes payload;
};

/// The hot path: no allocation unless there are user properties or subscription identifiers.
///   returns  MalformedPacket (QoS 3: v5 [MQTT-3.3.1-4], dup at QoS 0: [MQTT-3.3.1-2], cut, bad UTF-8, 3.x
///            without topic), ProtocolError (packet id 0, v5 without topic and alias), or what the properties
///            say
Parsed<Publish> parse_publish(const Frame& frame, Version version);

/// For tests, clients and bridges; a broker's fan-out uses PublishTemplate.
void write(const Publish& publish, Version version, std::vector<std::byte>& out);

}  // namespace wake::broker
