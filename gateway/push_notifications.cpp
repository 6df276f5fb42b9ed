#include "gateway/push_notifications.hpp"

#include <utility>

namespace wake::gateway {

push::Notification to_notification(broker::Notice notice) {
  push::Notification notification;
  notification.key = {notice.message_id, notice.phone_id};
  notification.message = std::move(notice.message);
  notification.entry = std::move(notice.entry);
  notification.token = std::move(notice.token);
  notification.locale = std::move(notice.locale);
  notification.expires_at = notice.expires_at;
  notification.attempt_count = notice.attempt_count;
  return notification;
}

std::vector<push::Notification> to_notifications(std::vector<broker::Notice> notices) {
  std::vector<push::Notification> notifications;
  notifications.reserve(notices.size());
  for (broker::Notice& notice : notices) notifications.push_back(to_notification(std::move(notice)));
  return notifications;
}

broker::Notice to_notice(push::Notification notification) {
  broker::Notice notice;
  notice.message_id = notification.key.message_id;
  notice.phone_id = notification.key.phone_id;
  notice.message = std::move(notification.message);
  notice.entry = std::move(notification.entry);
  notice.token = std::move(notification.token);
  notice.locale = std::move(notification.locale);
  notice.expires_at = notification.expires_at;
  notice.attempt_count = notification.attempt_count;
  return notice;
}

}  // namespace wake::gateway
