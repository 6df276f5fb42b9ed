// Notifications for the unit tests of push.
#pragma once

#include <memory>
#include <string>

#include "push/notification.hpp"

namespace wake::push::testing_support {

inline const broker::UtcTime kAt{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} +
                                 std::chrono::hours{13}};

struct Parts {
  broker::MessageRecord message;
  broker::EntryRecord entry;
  broker::DeviceToken token;
  std::int64_t phone = 7;

  Parts() {
    message.id.value = 4711;
    message.topic = "/zavio/ipcam/motiondetector/XRHIU1Z76KFM/location";
    message.payload = R"({"temp":21.5,"zone":"前门","deep":{"list":[1,{"on":true}]}})";
    message.at = kAt;
    message.expires_at = kAt + std::chrono::hours{1};
    entry.title = "Front door";
    entry.device_name = "Camera 1";
    entry.device_id = "XRHIU1Z76KFM";
    token.app_id = "com.example.cam";
    token.token = "00fc13ad";
    token.environment_proven = true;
    token.registered_at = kAt - std::chrono::hours{24};
  }
  Notification make(bool has_entry = true) const {
    Notification notification;
    notification.key = {message.id, {phone}};
    notification.message = std::make_shared<broker::MessageRecord>(message);
    if (has_entry) notification.entry = std::make_shared<broker::EntryRecord>(entry);
    notification.token = token;
    notification.expires_at = message.expires_at;
    return notification;
  }
};

}  // namespace wake::push::testing_support
