// Port over the running node. Exists before the node does, so that /healthz and /readyz answer while
// PostgreSQL is away at start; whatever needs the node says StorageAway (or throws it) until then.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker-core/effects.hpp"
#include "gateway/gathering.hpp"
#include "gateway/port.hpp"

namespace wake::gateway {

class Node;

class PortImpl final : public Port {
 public:
  /// Why there is no node yet, for /readyz.
  void set_waiting_for(std::string reason);
  /// From now on; `node` outlives every call (the REST server stops before the node does).
  void attach(Node& node);
  /// Going down: /readyz says so, so that a load balancer looks elsewhere.
  void set_stopping();

  void refresh_user(broker::UserId user) override;
  void end_logins(const broker::Principal& principal) override;
  broker::MessageId make_message_id() override;
  void revoke_login(broker::UserId user, std::int64_t login) override;
  PublishOutcome publish(broker::MessageRecord& message) override;
  void set_presence(const broker::ClientId& client_id, Presence presence) override;
  void acknowledged(broker::UserId user, const std::vector<broker::MessageId>& messages) override;
  void send_event(const broker::ClientId& client_id, std::string payload) override;
  void test_push(broker::UserId user, broker::PhoneId phone,
                 std::function<void(const TestVerdict&)> done) override;
  std::vector<ClientView> clients() override;
  bool kick(const broker::ClientId& client_id) override;
  Readiness readiness() override;
  std::string metrics() override;

 private:
  using Settlement = Gathering<broker::PublishSettled>;
  using SettlementPtr = std::shared_ptr<Settlement>;
  std::pair<SettlementPtr, bool> join(broker::MessageId id);
  void leave(broker::MessageId id);
  static void begin_publish(Node& running, const broker::MessageRecord& message, std::uint64_t ticket);
  std::vector<broker::PublishSettled> publish_as(Node& running, const broker::MessageRecord& message);
  static std::vector<broker::PublishSettled> publish_anew(Node& running,
                                                          const broker::MessageRecord& message);
  Node* node() const;
  /// Throws db::StorageAway without one.
  Node& need_node() const;

  mutable std::mutex mutex_;
  Node* node_ = nullptr;
  std::unordered_map<broker::MessageId, SettlementPtr> under_way_;  // publishes that brought their ids
  std::string waiting_for_ = "starting";
  bool is_stopping_ = false;
};

}  // namespace wake::gateway
