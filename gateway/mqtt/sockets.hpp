// All MQTT sockets of one shard: bytes in to the machine, bytes out of its Outbounds, and the ways a socket
// ends. The order of a round is the shard's (shard.cpp); this is what its steps do. One system call per
// direction, socket and round where the kernel lets it be; no memory per idle socket beyond the Socket.
//
// An id that the machine no longer knows is harmless everywhere. Thread: the shard's.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "broker-core/broker.hpp"
#include "gateway/mqtt/socket.hpp"

namespace wake::gateway {

/// Plain counters of what happens below MQTT.
struct SocketCounters {
  std::uint64_t bytes_sent = 0;         // MQTT bytes, before TLS
  std::uint64_t handshakes_failed = 0;  // TLS
  std::uint64_t handshakes_timed_out = 0;
  std::uint64_t proxy_headers_refused = 0;
  std::uint64_t proxy_headers_timed_out = 0;
  std::uint64_t upgrades_refused = 0;  // HTTP requests that opened no WebSocket
  std::uint64_t upgrades_timed_out = 0;
  std::uint64_t frames_malformed = 0;  // WebSocket frames that broke the protocol
  std::uint64_t wrong_listener = 0;    // TLS bytes on a plain listener
  std::uint64_t flush_timeouts = 0;    // a client that did not take its last bytes
};

class Sockets {
 public:
  static constexpr std::chrono::seconds kFlushTimeout{5};
  static constexpr std::chrono::seconds kDrainTimeout{2};
  /// More than a socket buffer holds: what a client had under way when we ended.
  static constexpr std::uint32_t kDrainBytes = 1024 * 1024;
  /// At most so much of one socket in one round, that nobody starves.
  static constexpr std::size_t kReadBytes = 256 * 1024;

  /// `take_mail` is called between receiving bytes and feeding them: see broker.hpp on mail and reads.
  Sockets(broker::Broker& broker, Poller& poller, std::chrono::milliseconds connect_timeout,
          std::function<void()> take_mail);
  ~Sockets();
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;

  void adopt(Arrival arrival, broker::Now now);
  /// What the poller said about a socket; reading follows in read_ready().
  void on_event(Pollable& pollable, std::uint32_t events, broker::Now now);
  /// Reads every readable socket once and feeds the machine.
  void read_ready(broker::Now now);
  /// Some were not drained: another round at once.
  bool has_ready() const { return !ready_.empty(); }
  /// Writes what the machine has touched. True: there was something.
  bool write_touched(broker::Now now);

  // ---- effects
  void close(broker::ConnectionId id, const std::string& reason, broker::Now now);
  void resume(broker::ConnectionId id, broker::Now now);
  /// Leaves this shard. Empty: gone already.
  std::optional<Arrival> take(broker::ConnectionId id);

  std::optional<broker::SteadyTime> next_deadline() const;
  void on_deadline(broker::Now now);
  /// Frees what has gone: no event or list refers to it any more.
  void end_round();

  std::size_t count() const { return sockets_.size() - free_slots_.size(); }
  const SocketCounters& counters() const { return counters_; }

 private:
  struct Deadline {
    broker::SteadyTime due;
    std::uint32_t slot;
    std::uint32_t generation;
  };
  /// All of one kind wait equally long, so the oldest is the first due.
  using Deadlines = std::deque<Deadline>;

  Socket& make_socket();
  Socket* find(broker::ConnectionId id) const;
  Socket* find(const Deadline& deadline) const;
  void list(Socket& socket);
  void discard(Socket& socket);
  /// The machine's ids lead to it no more.
  void unlink(const Socket& socket);

  // sockets_handshake.cpp
  void shake_hands(Socket& socket, broker::Now now);
  /// False: not yet, or never.
  bool take_proxy_header(Socket& socket, broker::Now now);
  void refuse_handshake(Socket& socket, const std::string& why, bool has_received, broker::Now now);
  void time_out_handshake(Socket& socket, broker::Now now);

  // sockets_read.cpp
  void enter(Socket& socket, broker::Now now);
  void read(Socket& socket, broker::Now now);
  bool is_on_wrong_listener(const Socket& socket, broker::Bytes in) const;
  void feed(Socket& socket, broker::Bytes in, broker::Now now);
  void keep_rest(Socket& socket, broker::Bytes rest);
  void feed_rest(Socket& socket, broker::Now now);
  void hear_out(Socket& socket, broker::Now now);
  void drain(Socket& socket);

  // sockets_write.cpp
  bool write(Socket& socket, broker::Now now);
  void lose(Socket& socket, broker::Now now);
  void end(Socket& socket, broker::Now now);
  void break_off(Socket& socket, broker::Now now);
  void linger(Socket& socket, broker::Now now);

  broker::Broker& broker_;
  Poller& poller_;
  const std::chrono::milliseconds connect_timeout_;
  const std::function<void()> take_mail_;
  std::vector<std::unique_ptr<Socket>> sockets_;  // by our slot
  std::vector<std::uint32_t> free_slots_;
  std::vector<Socket*> by_connection_;  // by the machine's slot
  std::vector<Socket*> displaced_;  // given up by the machine for a handover, their slot in use again already
  std::vector<Socket*> ready_;
  std::vector<Socket*> reading_;
  std::vector<Socket*> gone_;
  Deadlines handshaking_, flushing_, draining_;
  std::vector<std::byte> buffer_;
  /// Of one writev; small packets lie one behind the other in one piece, so more are rare. Kept, since a new
  /// array would be cleared at every write.
  std::array<broker::Bytes, 64> pieces_;
  std::uint32_t next_generation_ = 1;
  SocketCounters counters_;
};

}  // namespace wake::gateway
