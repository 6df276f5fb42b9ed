#include "db/account_members.hpp"

#include "db/account_pairings_row.hpp"
#include "db/sql/account_members.sql.hpp"

namespace wake::db {

using namespace account;

namespace {

using broker::UserId;

Invitation to_invitation(const pqxx::row& row) {
  return {row["code"].as<std::string>(), row["device_id"].as<std::string>(), to_role(row["role"]),
          to_time(row["expires_us"])};
}

std::optional<UserId> owner_of(pqxx::work& work, const std::string& device_id) {
  const pqxx::result owner = exec(work, sql::account_pairing_owner, device_id);
  if (owner.empty()) return std::nullopt;
  return UserId{owner[0][0].as<std::int64_t>()};
}

void set_owner(pqxx::work& work, const std::string& device_id, UserId before, UserId after) {
  exec(work, sql::account_member_set_role, device_id, before.value, to_text(PairingRole::Member));
  exec(work, sql::account_member_set_role, device_id, after.value, to_text(PairingRole::Owner));
}

/// Pairs the user with the device of `owner`, as the invitation says.
void join(pqxx::work& work, const Invitation& invitation, UserId owner, UserId user,
          const std::string& name) {
  const std::string& device = invitation.device_id;
  exec(work, sql::account_member_add, device, user.value, name);
  exec(work, sql::account_member_copy_entries, device, user.value);
  if (invitation.role != PairingRole::Owner || owner == user) return;
  set_owner(work, device, owner, user);
  exec(work, sql::account_pairing_remove_others, device, user.value);
}

/// `change` with the member that the owner of the device names.
template <class Change>
MemberResult change_member(Pool& pool, UserId owner, const std::string& device_id,
                           const std::string& username, const Change& change) {
  return in_transaction(pool, [&](pqxx::work& work) -> MemberResult {
    exec(work, sql::account_pairing_lock_device, device_id);
    if (owner_of(work, device_id) != owner) return {MemberChange::NotOwner, {}};
    const pqxx::result found = exec(work, sql::account_member_find, device_id, username);
    if (found.empty()) return {MemberChange::NoSuchMember, {}};
    const UserId member{found[0][0].as<std::int64_t>()};
    if (member == owner) return {MemberChange::IsOwner, member};
    change(work, member);
    return {MemberChange::Done, member};
  });
}

}  // namespace

bool add_invitation(Pool& pool, UserId owner, const Invitation& invitation) {
  return in_transaction(pool, [&](pqxx::work& work) {
    exec(work, sql::account_invitation_trim, invitation.device_id, kMaxWaitingInvitations - 1);
    return exec(work, sql::account_invitation_add, invitation.code, owner.value, invitation.device_id,
                to_text(invitation.role), to_us(invitation.expires_at))
               .affected_rows() == 1;
  });
}

std::vector<Invitation> list_invitations(Pool& pool, UserId owner, const std::string& device_id,
                                         broker::UtcTime now) {
  std::vector<Invitation> invitations;
  for (const pqxx::row& row : ask(pool, sql::account_invitation_list, device_id, owner.value, to_us(now)))
    invitations.push_back(to_invitation(row));
  return invitations;
}

bool remove_invitation(Pool& pool, UserId owner, const std::string& device_id, const std::string& code) {
  return ask(pool, sql::account_invitation_remove, code, owner.value, device_id).affected_rows() == 1;
}

Acceptance accept_invitation(Pool& pool, UserId user, const std::string& code, const std::string& name,
                             broker::UtcTime now) {
  return in_transaction(pool, [&](pqxx::work& work) {
    Acceptance result;
    const pqxx::result found = exec(work, sql::account_invitation_find, code, user.value, to_us(now));
    if (found.empty()) return result;
    const Invitation invitation{code, found[0]["device_id"].as<std::string>(), to_role(found[0]["role"]), {}};
    const std::string& device = invitation.device_id;
    const UserId inviter{found[0]["user_id"].as<std::int64_t>()};
    if (!found[0]["is_accepted"].as<bool>()) {
      // Whoever comes second waits here for the first, and then does not get the code.
      exec(work, sql::account_pairing_lock_device, device);
      if (owner_of(work, device) != inviter) return result;
      const bool is_member = !exec(work, sql::account_pairing_find, user.value, device).empty();
      const auto count = exec(work, sql::account_member_count, device)[0][0].as<std::int64_t>();
      if (!is_member && count >= kMaxMembers) {
        result.outcome = Acceptance::Outcome::Full;
        return result;
      }
      if (exec(work, sql::account_invitation_accept, code, user.value).affected_rows() == 0) return result;
      result.changed = ended_by(work, device, [&] { join(work, invitation, inviter, user, name); });
      result.changed.push_back(user);
    }
    const pqxx::result paired = exec(work, sql::account_pairing_find, user.value, device);
    if (paired.empty()) return result;  // unpaired since: the code is used up
    result.outcome = Acceptance::Outcome::Done;
    result.device = to_paired(paired[0]);
    return result;
  });
}

Page<Member> list_members(Pool& pool, const std::string& device_id, const PageRequest& page) {
  return cut_page<Member>(
      ask(pool, sql::account_member_list, device_id, page.after, page.limit + 1), page,
      [](const pqxx::row& row) {
        return Member{row["username"].as<std::string>(), to_role(row["role"]), to_time(row["paired_us"])};
      },
      [](const Member& member) { return member.username; });
}

MemberResult remove_member(Pool& pool, UserId owner, const std::string& device_id,
                           const std::string& username) {
  return change_member(pool, owner, device_id, username, [&](pqxx::work& work, UserId member) {
    exec(work, sql::account_pairing_remove, member.value, device_id);
  });
}

MemberResult make_owner(Pool& pool, UserId owner, const std::string& device_id, const std::string& username) {
  return change_member(pool, owner, device_id, username,
                       [&](pqxx::work& work, UserId member) { set_owner(work, device_id, owner, member); });
}

}  // namespace wake::db
