// One shard's broker as a machine: events in, effects out, time passed in. No socket, thread, clock or SQL in
// sight.
//
// The shell's duties, after every event or round of events:
//   take_touched()  write each connection's output(), then on_written()
//   take_effects()  carry out
//   take_persist()  hand to the commit queue (when not empty); answer on_committed(batch) or
//   on_commit_failed(batch) take_mail(k)    hand to shard k, which calls on_mail(); a shard takes its mail
//   BEFORE it reads sockets in a round, so a
//                   SUBSCRIBE acknowledged here is known there before any publish that the subscriber causes
//   next_deadline() keep one timer; on_deadline() when it is due
// Threads: none; one shard's thread calls everything. Implementation: broker_*.cpp by subject.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker-core/effects.hpp"
#include "broker-core/limits.hpp"
#include "broker-core/session/outbound.hpp"

namespace wake::broker {

/// Which shard this is, of how many, on which node (0..31): message ids are made of it.
struct ShardIdentity {
  unsigned shard = 0;
  unsigned shard_count = 1;
  unsigned node = 0;
  std::uint64_t seed =
      0;               // random; goes into hashes of topics, so that clients cannot choose ones that collide
  std::string mark{};  // of the installation: a message that brings it back has been here (bridge/via.hpp)
};

/// Sessions live where their client id hashes to. The same on every node and in every build (FNV-1a).
unsigned home_shard(std::string_view client_id, unsigned shard_count);

/// Does this moment fall into the quiet hours? The core knows no time zones.
using QuietTest = std::function<bool(const QuietHours&, UtcTime)>;

struct AuthOutcome {
  enum class Kind : std::uint8_t {
    Allowed,
    Refused,
    Unavailable,  // the registry cannot be asked now
    Continue,     // enhanced authentication: `data` to the client, and ask again with what it answers
    BadMethod     // enhanced authentication by a method that is not offered
  };
  Kind kind = Kind::Refused;
  Principal principal;
  Grants grants;
  std::string data{};                   // enhanced authentication: for the client; never logged
  std::string state{};                  // Continue: comes back in the next Authenticate; never logged
  std::optional<UtcTime> expires_at{};  // Allowed by a token: the connection ends with it
  std::int64_t token_login = 0;         // Allowed by a token of this log-in: revoke_login(); 0: by none
  std::uint64_t credential = 0;  // Allowed: what the principal may show; another one when it was changed
};

/// One figure of the gateway: topic, payload.
struct SysValue {
  std::string topic;
  std::string payload;
};

/// A connection as GET /v1/clients shows it.
struct ConnectionView {
  ClientId client_id;
  Principal principal;
  Version version = Version::V311;
  ListenerFacts listener;
  UtcTime connected_at{};
};

struct SessionView {
  ClientId client_id;
  Principal principal;
  bool is_connected = false;
  std::int64_t token_login = 0;  // AuthOutcome::token_login of its connection
};

/// Plain counters, read by the shard's own thread only.
struct Counters {
  std::uint64_t connections = 0;  // now
  std::uint64_t sessions = 0;     // now, connected or not
  std::uint64_t clients_connected = 0, sessions_expired = 0;
  std::uint64_t subscriptions = 0;  // shared ones not counted
  std::uint64_t shared_subscriptions = 0;
  std::uint64_t retained = 0, retained_bytes = 0;
  std::uint64_t queued_messages = 0, queued_bytes = 0;  // now: owed to sessions, in memory or stored
  std::uint64_t connects_accepted = 0, connects_refused = 0;
  std::uint64_t packets_received = 0, packets_sent = 0;  // of every type
  std::uint64_t packets_malformed = 0;
  std::uint64_t publishes_received = 0, publishes_sent = 0, publishes_dropped = 0, publishes_denied = 0;
  std::uint64_t publish_bytes_received = 0, publish_bytes_sent = 0;  // payloads
  std::uint64_t bytes_received = 0, bytes_sent = 0;
  std::uint64_t messages_stored = 0, messages_refused = 0;  // refused: a queue was full
  std::uint64_t messages_evicted = 0;  // dropped from a full queue by the policy drop_oldest
  std::uint64_t notices_sent = 0, notices_cancelled = 0, notices_held = 0;
  std::uint64_t unsettled = 0;  // now: publishes whose acknowledgement waits
};

class Broker {
 public:
  Broker(const Limits& limits, const DeliveryOptions& delivery, ShardIdentity identity,
         QuietTest is_quiet = {});
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // ---- boot: before any accept. Only what is at home here (home_shard); retained messages all.
  void load_session(SessionRecord record, std::uint32_t queued_messages, std::size_t queued_bytes, Now now);
  void load_retained(MessageRecord message);
  /// After all sessions, by id: a will of the process before; at run time, of a gateway that is gone.
  /// Published when its delay, session and principal (JudgeWill) allow or its client comes; not if that is
  /// connected.
  void load_will(WillRecord will, Now now);
  /// Also at run time, whenever the user changed. Every shard gets every record and keeps what it needs.
  void apply_user(const UserRecordPtr& record, Now now);

  /// At run time: another node has had this durable session until now, so storage may hold of it what was not
  /// loaded here. Makes the session if nobody knows it; leaves one that is connected alone.
  void expect_stored(const ClientId& client_id, const Principal& principal, Now now);

  // ---- connections
  ConnectionId accept(ListenerFacts facts, Now now);
  /// Takes whole packets off the front of `in`. Returns how many bytes it is done with; the shell keeps the
  /// rest and brings it again in front of what comes next (or after Resume). May be called with an id that is
  /// closed: consumes everything.
  std::size_t on_bytes(ConnectionId connection, Bytes in, Now now);
  void on_authenticated(ConnectionId connection, AuthOutcome outcome, Now now);
  /// The socket is gone (end of file, error, or after Close). Idempotent. `why`: for the log, when it was not
  /// the machine that wanted it.
  void on_closed(ConnectionId connection, Now now, const char* why = "connection lost");
  Outbound& output(ConnectionId connection);
  /// Some of output() has been written: there may be room for more.
  void on_written(ConnectionId connection, Now now);

  /// What the principal may do now; nullopt: it may not even come in any more, so nothing is published.
  void on_will_judged(const ClientId& client_id, MessageId will, const std::optional<Grants>& grants,
                      Now now);

  // ---- storage
  void on_queue_page(const ClientId& client_id, std::uint64_t ticket, QueuePage page, Now now);
  void on_committed(std::uint64_t batch, Now now);
  /// Storage refused this batch for good: its publishers are told, nothing of it is acknowledged.
  void on_commit_failed(std::uint64_t batch, Now now);
  /// Rows of the outbox that this node took over (restart, dead node): decided anew.
  void on_claimed(std::vector<Notice> notices, Now now);

  // ---- other shards, the back end, the operator
  void on_mail(unsigned from, std::vector<Mail> mail, Now now);
  /// Answered by PublishSettled.
  void publish(MessageRecord message, std::uint64_t ticket, Now now);
  /// $SYS topics (contract §6), retained in memory. To be called on every shard alike.
  void publish_sys(const std::vector<SysValue>& values, Now now);
  void set_presence(const ClientId& client_id, bool is_foreground, Now now);
  /// A message to one session, whoever subscribed: $wake/events. Waits for it there if the session outlives
  /// its connection.
  void send_direct(const ClientId& client_id, std::string topic, std::string payload, Now now);
  /// The same to a phone that is to ring by the message's wake-title and wake-body when it does not take it
  /// at once: as by an entry of mode `fallback` (contract §2.2), without the inbox. Fills in id and times.
  /// The alert's row goes in the commit that brings the message's. Answered by PublishSettled, at once when
  /// nobody's phone has this client id.
  void send_alert(const ClientId& client_id, MessageRecord message, AlertId alert, std::uint64_t ticket,
                  Now now);
  bool is_connected(const ClientId& client_id) const;
  void acknowledge_inbox(UserId user, const std::vector<MessageId>& messages, Now now);
  /// v5: DISCONNECT 0x98. False: nobody of that name is connected here.
  bool kick(const ClientId& client_id, Now now);
  /// The sessions here whose principal `is_meant` chooses, connected or away.
  std::vector<SessionView> sessions(const std::function<bool(const Principal&)>& is_meant) const;
  /// What the session's principal may do from now on. Subscriptions that it may not hold any more end.
  void apply_grants(const ClientId& client_id, Grants grants, Now now);
  /// The principal's credentials changed: its connections end (v5: 0x98). `is_gone`: it exists no more, so
  /// its sessions end with them, and none of its wills is published.
  void end_logins(const Principal& principal, bool is_gone, Now now);
  /// One log-in of many that a user may have was revoked (AuthOutcome::token_login): the connections made by
  /// its tokens end (v5: 0x98).
  void revoke_login(std::int64_t token_login, Now now);
  /// The principal's credential is this one now: the session's connection ends (v5: 0x98) when it was let in
  /// by another (AuthOutcome::credential).
  void end_former_login(const ClientId& client_id, std::uint64_t credential, Now now);
  std::vector<ConnectionView> connections() const;
  /// Going down: v5 clients are told 0x8B; every connection gets a Close. Wills stay in storage: they are
  /// published by whoever starts next (v5 §3.1.2.5 lets a server put them off until it is back).
  void shut_down(Now now);

  // ---- time
  void on_deadline(Now now);
  std::optional<SteadyTime> next_deadline() const;

  // ---- what to carry out
  std::vector<ConnectionId> take_touched();
  Effects take_effects();
  Persist take_persist();
  bool has_persist() const;
  std::vector<Mail> take_mail(unsigned shard);
  const Counters& counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wake::broker
