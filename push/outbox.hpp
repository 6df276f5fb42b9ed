// The durable list of notifications, as the dispatcher sees it. The only seam between push and storage:
// db/outbox_store is the real one, tests/support/memory_outbox the other.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "push/notification.hpp"

namespace wake::push {

/// How a notification left the dispatcher.
struct Resolution {
  enum class Kind {
    Sent,       // the provider took it
    Failed,     // it can never be sent: dropped, or its token is dead
    Expired,    // the message's time ran out first
    Cancelled,  // acknowledged before it left, or no longer permitted
    RetryAt,    // stays pending and ours; not before due_at
    Released,   // stays pending, given back: any node may claim it from due_at on
  };
  /// Compare-and-delete (contract §2.7): only if the phone still has this token and registered no later than
  /// this.
  struct TokenRemoval {
    broker::DeviceToken token;
    broker::UtcTime registered_until{};
  };
  NotificationKey key;
  Kind kind = Kind::Sent;
  std::string reason;       // the provider's own word, or ours
  std::string provider_id;  // apns-id echoed, FCM's name
  int attempt_count = 0;
  broker::UtcTime at{};
  broker::UtcTime due_at{};  // RetryAt, Released
  std::optional<TokenRemoval> token_removal;
  std::optional<broker::Environment>
      proven_environment;  // the provider took a token whose environment was unproven
};

class Outbox {
 public:
  virtual ~Outbox() = default;
  /// Queues the outcomes; they become durable in order, in batches, together with token removals. Does not
  /// block and never loses: while storage is away they wait in memory. Any thread.
  virtual void resolve(std::vector<Resolution> resolutions) = 0;
};

}  // namespace wake::push
