// Several users of one device: its owner invites by a code, members come and go. Blocking, one transaction a
// call, throws StorageAway (see account_users.hpp). Any thread. Phones are told by the rows that go with each
// change (alerts.hpp).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "db/account_pairings.hpp"

namespace wake::db {

/// At most this many waiting invitations to one device at a time; older ones are removed.
inline constexpr int kMaxWaitingInvitations = 10;
/// At most this many users of one device, its owner included.
inline constexpr int kMaxMembers = 100;

struct Invitation {
  std::string code;
  std::string device_id;
  PairingRole role = PairingRole::Member;  // Owner: hands the device over; all who have it lose it
  broker::UtcTime expires_at{};
};

/// False: the code exists already (make another). The caller has seen that `owner` owns the device; should
/// that have changed, the invitation is void.
bool add_invitation(Pool& pool, broker::UserId owner, const Invitation& invitation);
/// The waiting ones, kMaxWaitingInvitations at most.
std::vector<Invitation> list_invitations(Pool& pool, broker::UserId owner, const std::string& device_id,
                                         broker::UtcTime now);
/// False: none such, or accepted.
bool remove_invitation(Pool& pool, broker::UserId owner, const std::string& device_id,
                       const std::string& code);

struct Acceptance {
  enum class Outcome {
    Done,        // also when this user has accepted this code before
    NoSuchCode,  // unknown, expired, used and void ones look alike
    Full,        // kMaxMembers
  };
  Outcome outcome = Outcome::NoSuchCode;
  PairedDevice device;
  std::vector<broker::UserId> changed;  // whose pairings began or ended
};
/// The user is paired, with the owner's entries of the device (usual policy). `name`: the user's own word for
/// it; empty: the owner's.
Acceptance accept_invitation(Pool& pool, broker::UserId user, const std::string& code,
                             const std::string& name, broker::UtcTime now);

struct Member {
  std::string username;
  PairingRole role = PairingRole::Member;
  broker::UtcTime paired_at{};
};
/// By user name; `after` is one.
Page<Member> list_members(Pool& pool, const std::string& device_id, const PageRequest& page);

enum class MemberChange {
  Done,
  NotOwner,      // `owner` is not the owner
  NoSuchMember,  // of this device
  IsOwner,       // the owner names itself
};
struct MemberResult {
  MemberChange change = MemberChange::NotOwner;
  broker::UserId member;
};
/// Ends the member's pairing.
MemberResult remove_member(Pool& pool, broker::UserId owner, const std::string& device_id,
                           const std::string& username);
/// The member becomes the owner, and the owner a member.
MemberResult make_owner(Pool& pool, broker::UserId owner, const std::string& device_id,
                        const std::string& username);

}  // namespace wake::db
