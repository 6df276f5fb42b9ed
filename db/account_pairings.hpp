// Codes that bring a user and a device together, and the pairings made of them. Blocking, one transaction a
// call, throws StorageAway (see account_users.hpp). Any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "broker-core/types.hpp"
#include "db/account_page.hpp"
#include "db/pool.hpp"

namespace wake::db {

struct PairingCode {
  std::string code;
  broker::UtcTime expires_at{};
  std::string device_id;  // who claimed it; empty: still waiting
};

/// At most this many unclaimed codes of one user at a time; older ones are removed.
inline constexpr int kMaxWaitingCodes = 10;

/// False: the code exists already (make another).
bool add_pairing_code(Pool& pool, broker::UserId user, const PairingCode& code);
/// Claimed ones too, until they expire. Also lists none of another user.
std::optional<PairingCode> find_pairing_code(Pool& pool, broker::UserId user, const std::string& code,
                                             broker::UtcTime now);
bool remove_pairing_code(Pool& pool, broker::UserId user, const std::string& code);

/// Who has a device: one owner, who was the first to pair or was made it since, and members.
enum class PairingRole { Owner, Member };
const char* to_text(PairingRole role);  // "owner", "member"

struct ClaimTopic {
  std::string filter;  // valid, and with the device's id as a level: checked by the caller
  std::string title;
};
struct Claim {
  std::string code;
  std::string device_id;
  std::string name;  // empty: the name the device is registered with
  std::vector<ClaimTopic> topics;
  bool is_reset = false;  // the device is as from the factory: what others have of it ends
  broker::UtcTime now{};
};
struct ClaimResult {
  enum class Outcome {
    Paired,
    Repeated,    // this device has claimed this code before: the same answer, and nothing changes
    NoSuchCode,  // unknown, expired and used codes look alike
    Owned,       // the device is somebody else's, and was not reset; the code is still good
  };
  Outcome outcome = Outcome::NoSuchCode;
  broker::UserId user;
  std::string name;
  std::vector<broker::UserId> unpaired;  // by the reset
};
/// Uses the code up, makes or renames the pairing and adds the entries, all or nothing. Of two claims at once
/// one wins. An entry whose filter the user has already stays as the user made it, unless it belongs to no
/// device. The phones of all concerned are told by the rows that go with it (alerts.hpp).
ClaimResult claim_pairing(Pool& pool, const Claim& claim);
/// The device, as from the factory, has no user any more. Who had it.
std::vector<broker::UserId> reset_pairings(Pool& pool, const std::string& device_id);

struct PairedDevice {
  std::string id;
  std::string name;
  PairingRole role = PairingRole::Owner;
  broker::UtcTime paired_at{};
};
/// By device id; `after` is a device id.
Page<PairedDevice> list_paired_devices(Pool& pool, broker::UserId user, const PageRequest& page);
/// Empty: not paired.
std::optional<PairedDevice> find_paired_device(Pool& pool, broker::UserId user, const std::string& device_id);
/// `check` sees it as it was, before another writer can change it, and may throw: then it stays. Empty: not
/// paired.
std::optional<PairedDevice> rename_paired_device(Pool& pool, broker::UserId user,
                                                 const std::string& device_id, const std::string& name,
                                                 const std::function<void(const PairedDevice&)>& check);
/// With its entries; the owner's takes all members' along. Whose pairings ended: none when not paired.
std::vector<broker::UserId> unpair(Pool& pool, broker::UserId user, const std::string& device_id);

}  // namespace wake::db
