// A client of the simulated world: what it sent, what it got, whether it answers by itself.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker-core/effects.hpp"
#include "broker-core/packet/packet.hpp"

namespace wake::test {

using namespace wake::broker;

/// One PUBLISH as a client got it.
struct Received {
  std::string topic;
  std::string payload;
  Qos qos;
  bool dup = false;
  bool retain = false;
  std::uint16_t packet_id = 0;
  std::string wire_topic{};       // empty where an alias stood for it
  std::uint16_t topic_alias = 0;  // 0: none
  std::vector<std::uint32_t> subscription_ids{};
  std::optional<std::uint32_t> expiry_s{};
};

class World;

struct ConnectOptions {
  bool clean = true;
  Version version = Version::V311;
  std::uint16_t keep_alive_s = 0;
  std::optional<std::uint32_t> expiry_s{};
  std::optional<Will> will{};
  unsigned accepted_by = 0;
  Properties properties{};
};

class Client {
 public:
  std::string id;
  Version version = Version::V311;
  bool is_connected = false;       // socket open
  bool acks = true;                // answers PUBLISH by itself
  std::optional<Connack> connack;  // without its properties, which are views
  std::optional<std::uint16_t> topic_alias_maximum;
  std::string response_information;
  std::string authentication_data;                          // of CONNACK
  std::vector<std::pair<ReasonCode, std::string>> auths{};  // AUTH: reason, data
  std::string why;                                          // reason string of the last packet that had one
  std::optional<ReasonCode> disconnect_reason;
  std::vector<Received> received;
  std::vector<std::string> taken;  // payloads its application got: a QoS 2 repetition is recognized by its id
  std::vector<std::pair<std::uint16_t, ReasonCode>> pubacks;  // PUBACK or PUBREC
  std::vector<std::string> ack_reasons;                       // their reason strings
  std::vector<std::uint16_t> pubcomps;
  std::vector<std::uint16_t> pubrels;
  bool answers_pubrec = true;         // with PUBREL
  std::uint16_t receive_maximum = 0;  // of the last CONNACK
  std::optional<std::uint32_t> session_expiry_s;
  std::optional<std::uint16_t> server_keep_alive_s;
  std::vector<ReasonCode> subacks;
  int pingresps = 0;
  bool is_reading = true;
  bool is_raw = false;  // what it gets is kept as bytes and answered by nobody
  std::vector<std::byte> raw{};

  std::vector<std::string> payloads() const {
    std::vector<std::string> all;
    for (const Received& one : received) all.push_back(one.payload);
    return all;
  }

  /// Takes the whole packets among what came.
  void read() {
    if (is_raw) {
      raw.insert(raw.end(), from_broker.begin(), from_broker.end());
      return from_broker.clear();
    }
    Bytes in(from_broker);
    for (;;) {
      ParseResult result = parse(in, version, 268435460);
      const Packet* packet = std::get_if<Packet>(&result);
      if (!packet) break;
      take(*packet);
    }
    from_broker.erase(from_broker.begin(), from_broker.end() - static_cast<std::ptrdiff_t>(in.size()));
  }

  /// What the client does with a packet it gets.
  void take(const Packet& packet) {
    if (const auto* answer = std::get_if<Connack>(&packet)) {
      connack = *answer;
      topic_alias_maximum = answer->properties.topic_alias_maximum;
      response_information = answer->properties.response_information.value_or("");
      authentication_data = as_text(answer->properties.authentication_data.value_or(Bytes()));
      why = answer->properties.reason_string.value_or("");
      receive_maximum = answer->properties.receive_maximum.value_or(0);
      server_keep_alive_s = answer->properties.server_keep_alive_s;
      session_expiry_s = answer->properties.session_expiry_s;
      connack->properties = {};
    } else if (const auto* message = std::get_if<Publish>(&packet)) {
      take_message(*message);
      if (!acks || message->qos == Qos::AtMostOnce) return;
      const PacketType type = message->qos == Qos::AtLeastOnce ? PacketType::Puback : PacketType::Pubrec;
      write(Ack{type, message->packet_id, ReasonCode::Success, {}, {}}, version, to_broker);
    } else if (const auto* ack = std::get_if<Ack>(&packet)) {
      if (ack->type == PacketType::Puback || ack->type == PacketType::Pubrec)
        pubacks.emplace_back(ack->packet_id.value, ack->reason);
      why = ack->reason_string;
      if (!ack->reason_string.empty()) ack_reasons.emplace_back(ack->reason_string);
      if (ack->type == PacketType::Pubrec && answers_pubrec) {
        write(Ack{PacketType::Pubrel, ack->packet_id, ReasonCode::Success, {}, {}}, version, to_broker);
      }
      if (ack->type == PacketType::Pubcomp) pubcomps.push_back(ack->packet_id.value);
      if (ack->type == PacketType::Pubrel) {
        pubrels.push_back(ack->packet_id.value);
        unreleased.erase(ack->packet_id.value);
        write(Ack{PacketType::Pubcomp, ack->packet_id, ReasonCode::Success, {}, {}}, version, to_broker);
      }
    } else if (const auto* suback = std::get_if<Suback>(&packet)) {
      subacks = suback->reasons;
      why = suback->reason_string;
    } else if (const auto* bye = std::get_if<Disconnect>(&packet)) {
      disconnect_reason = bye->reason;
      why = bye->properties.reason_string.value_or("");
    } else if (const auto* auth = std::get_if<Auth>(&packet)) {
      auths.emplace_back(auth->reason, as_text(auth->properties.authentication_data.value_or(Bytes())));
    } else if (std::holds_alternative<Pingresp>(packet)) {
      ++pingresps;
    }
  }

 private:
  friend class World;
  void take_message(const Publish& message) {
    const std::uint16_t alias = message.properties.topic_alias.value_or(0);
    if (alias != 0 && !message.topic.empty()) aliases[alias] = message.topic;
    const std::string topic = alias == 0 ? std::string(message.topic) : aliases[alias];
    Client& owner = heir ? *heir : *this;
    owner.received.push_back({topic, std::string(as_text(message.payload)), message.qos, message.dup,
                              message.retain, message.packet_id.value, std::string(message.topic), alias,
                              message.properties.subscription_ids, message.properties.message_expiry_s});
    const bool is_new =
        message.qos != Qos::ExactlyOnce || owner.unreleased.insert(message.packet_id.value).second;
    if (is_new) owner.taken.emplace_back(as_text(message.payload));
  }

  std::map<std::uint16_t, std::string> aliases;
  unsigned shard = 0;
  ConnectionId connection;
  std::set<std::uint16_t> unreleased;  // QoS 2 ids it has, PUBREL still to come; lives as long as the session
  Client* heir = nullptr;              // of a connection being taken over: what it still gets, its owner has
  std::vector<std::byte> to_broker;    // sent, not consumed
  std::vector<std::byte> from_broker;  // written, not parsed
};

}  // namespace wake::test
