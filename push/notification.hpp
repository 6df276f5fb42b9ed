// One push for one (message, phone): everything needed to render, send and resolve it. Plain values.
#pragma once

#include <memory>
#include <string>

#include "broker-core/delivery/records.hpp"
#include "broker-core/persist.hpp"

namespace wake::push {

/// What makes a notification itself: UNIQUE in the outbox, and the apns-id is computed from it.
struct NotificationKey {
  broker::MessageId message_id;
  broker::PhoneId phone_id;
  friend bool operator==(const NotificationKey&, const NotificationKey&) = default;
  friend auto operator<=>(const NotificationKey&, const NotificationKey&) = default;
};

struct Notification {
  NotificationKey key;
  std::shared_ptr<const broker::MessageRecord> message;  // shared by every phone it goes to
  std::shared_ptr<const broker::EntryRecord> entry;      // null: the entry is gone, defaults apply
  broker::DeviceToken token;
  std::string locale;
  broker::UtcTime expires_at{};
  int attempt_count = 0;  // tries already counted
  bool is_test = false;   // POST …/phones/{id}/test: not in the outbox
};

/// An alert that a former process left in the outbox: enough to know what may not overtake it.
struct WaitingAlert {
  NotificationKey key;
  std::string topic;
  broker::UtcTime due_at{};
};

}  // namespace wake::push
