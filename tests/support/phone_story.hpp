// Who the tests of phones tell of: alice, her phones, and a camera that is paired with her.
#pragma once

#include <memory>
#include <string>

#include "tests/support/simulated_world.hpp"

namespace wake::test {

inline constexpr const char* kTopic = "/zavio/ipcam/motiondetector/CAM1/location";

/// One entry, of the camera's topics; phones are "phone1", "phone2" ... with "token1", "token2" ...
inline UserRecordPtr alice(PushMode mode = PushMode::Fallback, int phones = 1) {
  auto user = std::make_shared<UserRecord>();
  user->id = {7};
  user->username = "alice";
  user->device_ids = {"CAM1"};
  for (int i = 1; i <= phones; ++i) {
    PhoneRecord phone;
    phone.id = {i};
    phone.phone_id = phone.client_id.value = "phone" + std::to_string(i);
    phone.token.token = "token" + std::to_string(i);
    user->phones.push_back(phone);
  }
  auto entry = std::make_shared<EntryRecord>();
  entry->id = {3};
  entry->filter = "/zavio/+/+/CAM1/#";
  entry->device_id = "CAM1";
  entry->push.mode = mode;
  user->entries = {entry};
  return user;
}

inline void camera_sends(World& world, const std::string& payload, Qos qos = Qos::AtLeastOnce) {
  Client& camera = world.client("camera");
  if (!camera.is_connected) world.connect("camera");
  world.publish(camera, kTopic, payload, qos);
}

inline Client& open_app(World& world, bool acks = true) {
  Client& phone = world.client("phone1");
  phone.acks = acks;
  return world.connect("phone1", {.clean = false});
}

}  // namespace wake::test
