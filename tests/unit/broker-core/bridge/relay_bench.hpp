// A relay between two brokers that the test plays: what it sends is read as short lines, what it gets is
// packets.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker-core/bridge/relay.hpp"

namespace wake::broker {

inline constexpr auto kLocal = BridgeSide::Local;
inline constexpr auto kRemote = BridgeSide::Remote;

class RelayBench {
 public:
  using Lines = std::vector<std::string>;

  static RelayOptions options(std::initializer_list<const char*> topics) {
    RelayOptions options;
    options.name = "b";
    options.mark = "us";
    for (const char* line : topics) options.topics.push_back(std::get<BridgeTopic>(parse_bridge_topic(line)));
    options.local.client_id = "bridge:b";
    options.remote.client_id = "wakemq.b";
    return options;
  }

  RelayBench(std::initializer_list<const char*> topics) : RelayBench(options(topics)) {}
  explicit RelayBench(RelayOptions options) : relay(options), versions_{Version::V5, options.remote.version} {
    now.steady += std::chrono::hours(1);
  }

  /// Opens the socket and answers the CONNECT; what was said besides the CONNECT.
  Lines come_up(BridgeSide side, bool has_session = false, Properties properties = {}) {
    open(side);
    EXPECT_THAT(sent(side), ::testing::ElementsAre(::testing::StartsWith("CONNECT")));
    give(side, Connack{has_session, ReasonCode::Success, properties});
    return sent(side);
  }
  /// Both sides, without a word of it.
  void come_up() {
    come_up(kLocal);
    come_up(kRemote);
    sent(kLocal);
  }
  /// As soon as the relay wants it.
  void open(BridgeSide side) {
    for (int i = 0; i < 1'300 && !wants_open(side); ++i) pass(std::chrono::milliseconds(50));
    opens_[static_cast<std::size_t>(side)] = false;
    relay.opened(side, now);
  }
  void lose(BridgeSide side) {
    opens_[static_cast<std::size_t>(side)] = false;
    relay.closed(side, "reset", now);
    take_effects();
  }
  void cut_off(BridgeSide side) {
    opens_[static_cast<std::size_t>(side)] = false;
    relay.cut_off(side, "no route", now);
    take_effects();
  }
  void answer_subscribe(BridgeSide side) { give(side, Suback{{101}, {ReasonCode::GrantedQos1}, {}, {}}); }
  bool wants_open(BridgeSide side) {
    relay.on_deadline(now);
    take_effects();
    return opens_[static_cast<std::size_t>(side)];
  }
  void pass(Duration duration) { now.steady += duration; }

  template <class P>
  void give(BridgeSide side, const P& packet) {
    std::vector<std::byte> bytes;
    write(packet, version(side), bytes);
    give_bytes(side, bytes);
  }
  std::size_t give_bytes(BridgeSide side, Bytes bytes) {
    const std::size_t taken = relay.on_bytes(side, bytes, now);
    take_effects();
    return taken;
  }
  void publish(BridgeSide side, std::string_view topic, std::string_view payload, int qos,
               std::uint16_t id = 0, bool dup = false, PublishProperties properties = {},
               bool retain = false) {
    Publish packet;
    packet.retain = retain;
    packet.topic = topic;
    packet.payload = as_bytes(payload);
    packet.qos = static_cast<Qos>(qos);
    packet.packet_id = {id};
    packet.dup = dup;
    packet.properties = std::move(properties);
    give(side, packet);
  }
  void ack(BridgeSide side, PacketType type, std::uint16_t id, ReasonCode reason = ReasonCode::Success) {
    give(side, Ack{type, {id}, reason, {}, {}});
  }

  /// Since the last call: "PUBLISH far/a 'hi' q1 #1 dup", "PUBACK #1", "SUBSCRIBE a/# q1".
  Lines sent(BridgeSide side) {
    std::vector<std::byte> bytes;
    Outbound& output = relay.output(side);
    while (!output.is_empty()) {
      Bytes piece;
      output.gather(&piece, 1);
      bytes.insert(bytes.end(), piece.begin(), piece.end());
      output.consume(piece.size());
    }
    return lines_of(bytes, version(side));
  }

  Lines events;                 // "bridge.lost"
  Lines farewell;               // of the last CloseLink
  std::vector<BridgeSide> cut;  // sides that the relay closed
  Now now;
  Relay relay;

 private:
  Version version(BridgeSide side) const { return versions_[static_cast<std::size_t>(side)]; }

  static Lines lines_of(Bytes in, Version version) {
    Lines lines;
    while (!in.empty()) {
      const ParseResult result = parse(in, version, 1 << 20);
      if (!std::holds_alternative<Packet>(result)) {
        ADD_FAILURE() << "the relay sent what is no packet";
        break;
      }
      lines.push_back(line_of(std::get<Packet>(result), version));
    }
    return lines;
  }

  static std::string line_of(const Packet& packet, Version version) {
    if (const auto* publish = std::get_if<Publish>(&packet)) {
      std::string line = "PUBLISH " + std::string(publish->topic) + " '" +
                         std::string(as_text(publish->payload)) + "' q" +
                         std::to_string(static_cast<int>(publish->qos));
      if (publish->packet_id.value != 0) line += " #" + std::to_string(publish->packet_id.value);
      if (publish->dup) line += " dup";
      if (publish->retain) line += " retain";
      for (const auto& [name, value] : publish->properties.user_properties) {
        line.append(" ").append(name).append("=").append(value);
      }
      if (publish->properties.message_expiry_s) {
        line += " expires=" + std::to_string(*publish->properties.message_expiry_s);
      }
      return line;
    }
    if (const auto* ack = std::get_if<Ack>(&packet)) {
      return std::string(to_string(ack->type)) + " #" + std::to_string(ack->packet_id.value);
    }
    if (const auto* subscribe = std::get_if<Subscribe>(&packet)) {
      std::string line = "SUBSCRIBE";
      for (const SubscribeRequest& request : subscribe->requests) {
        line.append(" ")
            .append(request.filter)
            .append(" q")
            .append(std::to_string(static_cast<int>(request.qos)));
        line.append(" retain-handling ").append(std::to_string(request.retain_handling));
        if (version == Version::V5) {
          EXPECT_TRUE(request.no_local && request.retain_as_published);
        }
      }
      return line;
    }
    if (const auto* unsubscribe = std::get_if<Unsubscribe>(&packet)) {
      std::string line = "UNSUBSCRIBE";
      for (const std::string_view filter : unsubscribe->filters) line.append(" ").append(filter);
      return line;
    }
    if (const auto* connect = std::get_if<Connect>(&packet)) {
      return "CONNECT " + std::string(connect->client_id) + (connect->clean_start ? " clean" : "") +
             (connect->is_bridge ? " bridge" : "");
    }
    if (const auto* disconnect = std::get_if<Disconnect>(&packet)) {
      return "DISCONNECT " + std::string(to_string(disconnect->reason));
    }
    return std::holds_alternative<Pingreq>(packet) ? "PINGREQ" : "?";
  }

  void take_effects() {
    for (const RelayEffect& effect : relay.take_effects()) {
      if (const auto* open = std::get_if<OpenLink>(&effect))
        opens_[static_cast<std::size_t>(open->side)] = true;
      if (const auto* close = std::get_if<CloseLink>(&effect)) {
        cut.push_back(close->side);
        opens_[static_cast<std::size_t>(close->side)] = false;
        farewell = lines_of(close->last, version(close->side));
      }
      if (const auto* incident = std::get_if<Incident>(&effect)) events.emplace_back(incident->event);
    }
  }

  bool opens_[2] = {false, false};
  Version versions_[2];
};

}  // namespace wake::broker
