// Cameras and sensors: what an operator registers before they connect. Blocking, one transaction a call,
// throws StorageAway (see account_users.hpp). Any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker-core/types.hpp"
#include "db/account_page.hpp"
#include "db/idempotency_store.hpp"
#include "db/pool.hpp"

namespace wake::db {

struct Device {
  std::string id;
  std::string name;
  std::string secret_hash;  // SHA-256, never shown; empty: no secret of this device is known here
  broker::UtcTime created_at{};
  std::string scram{};  // SCRAM-SHA-256 verifier, never shown; empty: none yet
};

/// Contract §10: 1 to 64 of A-Z a-z 0-9 . _ : -, and not "api-key", which is what services say as their MQTT
/// user name.
bool is_device_id(const std::string& id);

/// Empty: the id is taken, by a device or by a user, whose name it would be in MQTT.
std::optional<Device> add_device(Pool& pool, const std::string& id, const std::string& name,
                                 const std::string& secret_hash, const std::string& scram = {},
                                 const KeepAnswer<Device>& keep = {});
/// For a device that has no verifier yet; nothing when it has.
void keep_scram(Pool& pool, const Device& device, const std::string& scram);
/// A new secret instead of the old one, which opens nothing any more. Empty: no such device.
std::optional<Device> set_device_secret(Pool& pool, const std::string& id, const std::string& secret_hash,
                                        const std::string& scram, const KeepAnswer<Device>& keep = {});
std::optional<Device> find_device(Pool& pool, const std::string& id);
/// By id; `after` is an id.
Page<Device> list_devices(Pool& pool, const PageRequest& page);

struct DeviceRemoval {
  bool is_removed = false;
  std::vector<broker::UserId> users;  // were paired with it: their records changed
};
/// With its pairings, their entries and its sessions.
DeviceRemoval remove_device(Pool& pool, const std::string& id);

}  // namespace wake::db
