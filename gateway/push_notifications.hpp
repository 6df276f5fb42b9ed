// Notices of the core and notifications of push are the same thing seen from two sides.
#pragma once

#include <vector>

#include "broker-core/effects.hpp"
#include "push/notification.hpp"

namespace wake::gateway {

push::Notification to_notification(broker::Notice notice);
std::vector<push::Notification> to_notifications(std::vector<broker::Notice> notices);
/// A row taken out of the outbox, for the shard that owns the phone to decide anew.
broker::Notice to_notice(push::Notification notification);

}  // namespace wake::gateway
