// What ends with the socket: protocol version, keep-alive, what the client allows us, and the publisher's
// acknowledgements that wait for settlement.
//
//   AwaitConnect --CONNECT--> Authenticating --allowed--> Active --DISCONNECT, error, takeover--> Closing
//   --socket gone--> (slot free)
#pragma once

#include <memory>
#include <optional>

#include "broker-core/broker.hpp"
#include "broker-core/session/message.hpp"
#include "broker-core/session/ring.hpp"
#include "broker-core/session/topic_aliases.hpp"

namespace wake::broker {

/// A will in memory, until its connection has ended and its delay has passed.
struct KeptWill {
  WillRecord record;
  bool is_restored = false;  // of before a restart: whether it may still be published must be asked
};

/// One publish whose acknowledgement is not sent yet. Acknowledgements leave in the order of the publishes
/// (v3.1.1 [MQTT-4.6.0-2], v5 [MQTT-4.6.0-2]).
struct PublisherAck {
  PacketId packet_id;
  Qos qos = Qos::AtLeastOnce;
  bool is_ready = false;
  ReasonCode reason{};
  bool is_partial = false;  // some have it, others' queues are full
};

/// CONNECT, kept while its sender is being authenticated.
struct PendingConnect {
  ClientId client_id;
  bool is_assigned_id = false;  // the server made the client id up
  bool clean_start = false;
  bool wants_response_information = false;
  bool is_keep_alive_capped = false;  // by limits.max_keep_alive
  std::uint32_t expiry_s = 0;
  std::unique_ptr<KeptWill> will;
};

/// Both directions of a connection's topic aliases; made when the first is used.
struct TopicAliases {
  IncomingAliases in;
  OutgoingAliases out;
};

/// An enhanced authentication (v5 §4.12), under way or over; its method holds for the whole connection.
struct Exchange {
  enum class Turn : std::uint8_t { Nobodys, Ours, Clients };
  std::string method;
  std::string state;  // of the shell; never logged
  Turn turn = Turn::Nobodys;
};

struct Connection {
  enum class Phase : std::uint8_t { Free, AwaitConnect, Authenticating, Active, Closing };
  static constexpr std::uint32_t kNoSession = 0xFFFFFFFF;

  ConnectionId id;
  Phase phase = Phase::Free;
  Version version = Version::V311;
  bool is_touched = false;       // in the list of those with something to write
  bool is_input_paused = false;  // a Resume is owed
  bool is_unanswerable = false;  // an answer was larger than the client takes: it is about to be closed
  bool is_held = false;          // nothing is written before its will is on disk: see broker_will.cpp
  bool is_bridge = false;        // 3.x: its subscriptions are no-local and retain-as-published
  bool wants_reasons = true;     // v5 §3.1.2.11.7 Request Problem Information
  bool sends_wake_id = false;    // v5 and authenticated: messages carry wake-id (contract §6)
  std::uint16_t keep_alive_s = 0;
  std::uint16_t receive_maximum = 65535;        // what the client takes unacknowledged
  std::uint32_t max_packet_bytes = 0xFFFFFFFF;  // what the client takes at all
  std::uint32_t session = kNoSession;
  SteadyTime last_received{};                 // only what the client sends counts as life
  SteadyTime deadline{};                      // of the armed Connection timer
  SteadyTime expires_at = SteadyTime::max();  // of the token that it was made by
  std::int64_t token_login = 0;               // AuthOutcome::token_login
  std::uint64_t credential = 0;               // AuthOutcome::credential
  UtcTime connected_at{};
  Outbound output;
  Ring<PublisherAck> acks;
  std::uint64_t first_ack = 0;   // number of acks.front()
  std::uint32_t unanswered = 0;  // publishes that take of the Receive Maximum it was told
  double publish_tokens = 0;     // limits.publishes_per_second
  SteadyTime publish_refill{};
  std::unique_ptr<TopicAliases> aliases;
  std::unique_ptr<Exchange> exchange;
  std::unique_ptr<PendingConnect> pending;
  std::unique_ptr<KeptWill> will;
  std::unique_ptr<ListenerFacts> listener;
};

}  // namespace wake::broker
