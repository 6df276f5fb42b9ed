// One MQTT socket of a shard, from accept() to close(). Small: a hundred thousand of them idle.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker-core/effects.hpp"
#include "gateway/listen/admission.hpp"
#include "gateway/mqtt/poller.hpp"
#include "gateway/mqtt/transport.hpp"

namespace wake::gateway {

/// A socket on its way into a shard: fresh from accept(), or handed over by another shard with all that came
/// in so far.
struct Arrival {
  std::unique_ptr<Transport> transport;
  std::unique_ptr<broker::ListenerFacts> facts;
  Admission::Place place;
  std::vector<std::byte> rest;  // received, not yet taken by a machine
  bool has_shaken_hands = false;
  bool has_ended = false;  // the peer will send nothing more
  bool awaits_proxy_header = false;
};

struct Socket : Pollable {
  enum class Phase : std::uint8_t {
    Handshaking,  // PROXY header, TLS, WebSocket; unknown to the machine; bounded by connect_timeout
    Open,
    Flushing,  // the machine wants it closed; its output is still going out; bounded by kFlushTimeout
    Draining,  // we have ended; what the peer still sends is thrown away; bounded by kDrainTimeout
    Gone,      // closed or handed over; freed when the round is over
  };

  Socket() : Pollable(Kind::Socket) {}

  Phase phase = Phase::Handshaking;
  bool is_readable = false;  // the poller said so, and the socket has not been drained since
  bool is_hung_up = false;   // the poller has announced the end of what the peer sends
  bool is_blocked = false;   // a write was short, and the poller has not said writable since
  bool is_paused = false;    // the machine leaves whole packets lying: do not read until Resume
  bool has_ended = false;    // the peer will send nothing more
  bool is_listed = false;    // in the list of those to be read
  bool awaits_proxy_header = false;
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  std::uint32_t drained_bytes = 0;
  broker::ConnectionId connection{};  // in the machine; none while handshaking and draining
  std::unique_ptr<Transport> transport;
  std::unique_ptr<broker::ListenerFacts> facts;  // until the first packet: a handover needs them again
  std::vector<std::byte> rest;  // a packet's beginning, or what a paused machine did not take
  Admission::Place place;
};

}  // namespace wake::gateway
