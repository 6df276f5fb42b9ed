// A client of the simulated world: what it sent, what it got, whether it answers by itself.
#pragma once

#include <optional>
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
};

class World;

class Client {
 public:
  std::string id;
  Version version = Version::V311;
  bool is_connected = false;  // socket open
  bool acks = true;           // answers PUBLISH by itself
  std::optional<Connack> connack;
  std::optional<ReasonCode> disconnect_reason;
  std::vector<Received> received;
  std::vector<std::pair<std::uint16_t, ReasonCode>> pubacks;  // PUBACK or PUBREC
  std::vector<ReasonCode> subacks;
  int pingresps = 0;
  bool is_raw = false;  // what it gets is kept as bytes and answered by nobody
  std::vector<std::byte> raw{};

  std::vector<std::string> payloads() const {
    std::vector<std::string> all;
    for (const Received& one : received) all.push_back(one.payload);
    return all;
  }

  /// What the client does with a packet it gets.
  void take(const Packet& packet) {
    if (const auto* answer = std::get_if<Connack>(&packet)) {
      connack = *answer;
      connack->properties = {};
    } else if (const auto* message = std::get_if<Publish>(&packet)) {
      (heir ? *heir : *this)
          .received.push_back({std::string(message->topic), std::string(as_text(message->payload)),
                               message->qos, message->dup, message->retain, message->packet_id.value});
      if (!acks || message->qos == Qos::AtMostOnce) return;
      const PacketType type = message->qos == Qos::AtLeastOnce ? PacketType::Puback : PacketType::Pubrec;
      write(Ack{type, message->packet_id, ReasonCode::Success, {}, {}}, version, to_broker);
    } else if (const auto* ack = std::get_if<Ack>(&packet)) {
      if (ack->type == PacketType::Puback || ack->type == PacketType::Pubrec)
        pubacks.emplace_back(ack->packet_id.value, ack->reason);
      if (ack->type == PacketType::Pubrec) {
        write(Ack{PacketType::Pubrel, ack->packet_id, ReasonCode::Success, {}, {}}, version, to_broker);
      }
      if (ack->type == PacketType::Pubrel) {
        write(Ack{PacketType::Pubcomp, ack->packet_id, ReasonCode::Success, {}, {}}, version, to_broker);
      }
    } else if (const auto* suback = std::get_if<Suback>(&packet)) {
      subacks = suback->reasons;
    } else if (const auto* bye = std::get_if<Disconnect>(&packet)) {
      disconnect_reason = bye->reason;
    } else if (std::holds_alternative<Pingresp>(packet)) {
      ++pingresps;
    }
  }

 private:
  friend class World;
  unsigned shard = 0;
  ConnectionId connection;
  Client* heir = nullptr;              // of a connection being taken over: what it still gets, its owner has
  std::vector<std::byte> to_broker;    // sent, not consumed
  std::vector<std::byte> from_broker;  // written, not parsed
};

}  // namespace wake::test
