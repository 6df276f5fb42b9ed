// What REST and the command side may ask of the running gateway. Implemented by gateway/server.cpp over
// posted messages to the shards and the dispatcher; a fake serves the unit tests of REST. All calls are safe
// from any worker thread and may block it (never a shard), each at most a few seconds.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "broker-core/persist.hpp"
#include "broker-core/types.hpp"

namespace wake::gateway {

enum class Presence { Foreground, Background };

/// One connected client, as GET /v1/clients shows it.
struct ClientView {
  std::string client_id;
  std::string principal_kind;  // "user" | "device" | "service" | "anonymous"
  std::string principal_id;
  std::string address;       // peer "host:port"
  std::string listener;      // protocol of the listener: "mqtt", "mqtts", …
  int protocol_version = 4;  // 3, 4, 5
  broker::UtcTime connected_at{};
};

/// The outcome of a publish on behalf of a back end.
enum class PublishOutcome { Settled, QuotaExceeded, StorageAway };

/// A provider's answer to POST …/phones/{id}/test.
struct TestVerdict {
  std::string verdict;  // "accepted", "remove_token", … (fact sheet §1)
  int status = 0;       // the provider's HTTP status; 0: none came
  std::string reason;   // the provider's own word
  std::string advice;   // what to do about it
};

/// GET /readyz: ready, or which part is not and what to do.
struct Readiness {
  struct Part {
    std::string name;  // "postgresql", "push:com.example.cam/apns/production", …
    bool is_ready = true;
    std::string detail;  // what is not as it should be
  };
  std::vector<Part> parts;
};

class Port {
 public:
  virtual ~Port() = default;
  /// Loads the user from PostgreSQL and hands the record to the shards. After it returns, every publish that
  /// a client sends is judged by the new record. Throws std::runtime_error when PostgreSQL is away.
  virtual void refresh_user(broker::UserId user) = 0;
  /// The same of credentials: the principal's connections end; of one that is no more its sessions too.
  /// Throws std::runtime_error when PostgreSQL is away.
  virtual void end_logins(const broker::Principal& principal) = 0;
  /// The same of one log-in of a user: the connections made by its tokens end.
  virtual void revoke_login(broker::UserId user, std::int64_t login) = 0;
  /// An id that no other message has or gets, of this node. Throws StorageAway while there is no node.
  virtual broker::MessageId make_message_id() = 0;
  /// Routes the message (time is filled in here, and the id if it has none) and waits until it is settled
  /// (contract §2.1). One that brings an id is stored whoever receives it, so that what became of it can be
  /// looked up after a kill; when its publish is under way already, this waits for that one.
  virtual PublishOutcome publish(broker::MessageRecord& message) = 0;
  virtual void set_presence(const broker::ClientId& client_id, Presence presence) = 0;
  /// The user read these over REST: notifications that have not left are cancelled.
  virtual void acknowledged(broker::UserId user, const std::vector<broker::MessageId>& messages) = 0;
  /// Sends `payload` on $wake/events to a connected client of this id (a phone or a device); nobody there:
  /// nothing.
  virtual void send_event(const broker::ClientId& client_id, std::string payload) = 0;
  /// `done` is called once, within about 20 s, by whichever thread has the verdict: before this returns, or
  /// the dispatcher's, where it must not block. Throws when PostgreSQL is away.
  virtual void test_push(broker::UserId user, broker::PhoneId phone,
                         std::function<void(const TestVerdict&)> done) = 0;
  virtual std::vector<ClientView> clients() = 0;
  /// Disconnects (v5: 0x98 administrative action). False: not connected.
  virtual bool kick(const broker::ClientId& client_id) = 0;
  virtual Readiness readiness() = 0;
  /// Prometheus text exposition.
  virtual std::string metrics() = 0;
};

}  // namespace wake::gateway
