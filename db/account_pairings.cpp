#include "db/account_pairings.hpp"

#include <algorithm>

#include "db/account_pairings_row.hpp"

namespace wake::db {

using namespace account;

namespace {

std::vector<broker::UserId> users_of(pqxx::work& work, const std::string& device_id) {
  std::vector<broker::UserId> users;
  for (const pqxx::row& row : exec(work, sql::account_pairing_users, device_id))
    users.push_back(broker::UserId{row[0].as<std::int64_t>()});
  return users;
}

bool is_owned_by_another(pqxx::work& work, const std::string& device_id, broker::UserId user) {
  const pqxx::result owner = exec(work, sql::account_pairing_owner, device_id);
  if (owner.empty() || owner[0][0].as<std::int64_t>() == user.value) return false;
  return exec(work, sql::account_pairing_find, user.value, device_id).empty();
}

/// The answer to who claims a code again.
ClaimResult repeated(pqxx::work& work, const Claim& claim, broker::UserId user) {
  const pqxx::result pairing = exec(work, sql::account_pairing_find, user.value, claim.device_id);
  if (pairing.empty()) return {};  // unpaired since: the code is used up
  return {.outcome = ClaimResult::Outcome::Repeated,
          .user = user,
          .name = pairing[0]["name"].as<std::string>(),
          .unpaired = {}};
}

}  // namespace

const char* to_text(PairingRole role) { return role == PairingRole::Owner ? "owner" : "member"; }

PairingRole account::to_role(const pqxx::field& field) {
  return field.as<std::string>() == "owner" ? PairingRole::Owner : PairingRole::Member;
}

PairedDevice account::to_paired(const pqxx::row& row) {
  return {row["device_id"].as<std::string>(), row["name"].as<std::string>(), to_role(row["role"]),
          to_time(row["paired_us"])};
}

std::vector<broker::UserId> account::ended_by(pqxx::work& work, const std::string& device_id,
                                              const std::function<void()>& change) {
  exec(work, sql::account_pairing_lock_device, device_id);
  std::vector<broker::UserId> ended = users_of(work, device_id);
  change();
  const std::vector<broker::UserId> left = users_of(work, device_id);
  std::erase_if(ended, [&](broker::UserId user) { return std::ranges::find(left, user) != left.end(); });
  return ended;
}

bool add_pairing_code(Pool& pool, broker::UserId user, const PairingCode& code) {
  return in_transaction(pool, [&](pqxx::work& work) {
    exec(work, sql::account_code_trim, user.value, kMaxWaitingCodes - 1);
    return exec(work, sql::account_code_add, code.code, user.value, to_us(code.expires_at)).affected_rows() ==
           1;
  });
}

std::optional<PairingCode> find_pairing_code(Pool& pool, broker::UserId user, const std::string& code,
                                             broker::UtcTime now) {
  const pqxx::result rows = ask(pool, sql::account_code_find, code, user.value, to_us(now));
  if (rows.empty()) return std::nullopt;
  return PairingCode{rows[0]["code"].as<std::string>(), to_time(rows[0]["expires_us"]),
                     rows[0]["device_id"].as<std::string>()};
}

bool remove_pairing_code(Pool& pool, broker::UserId user, const std::string& code) {
  return ask(pool, sql::account_code_remove, code, user.value).affected_rows() == 1;
}

ClaimResult claim_pairing(Pool& pool, const Claim& claim) {
  return in_transaction(pool, [&](pqxx::work& work) {
    const pqxx::result code =
        exec(work, sql::account_code_lock, claim.code, claim.device_id, to_us(claim.now));
    if (code.empty()) return ClaimResult{};
    ClaimResult result;
    result.user = broker::UserId{code[0]["user_id"].as<std::int64_t>()};
    if (code[0]["is_claimed"].as<bool>()) return repeated(work, claim, result.user);
    result.unpaired = ended_by(work, claim.device_id, [&] {
      if (claim.is_reset) exec(work, sql::account_pairing_remove_others, claim.device_id, result.user.value);
    });
    if (is_owned_by_another(work, claim.device_id, result.user)) {
      result.outcome = ClaimResult::Outcome::Owned;
      return result;
    }
    exec(work, sql::account_code_use, claim.code, claim.device_id, to_us(claim.now));
    result.name = exec(work, sql::account_pairing_put, result.user.value, claim.device_id, claim.name)[0][0]
                      .as<std::string>();
    for (const ClaimTopic& topic : claim.topics) {
      exec(work, sql::account_pairing_add_entry, result.user.value, claim.device_id, topic.filter,
           topic.title);
    }
    result.outcome = ClaimResult::Outcome::Paired;
    return result;
  });
}

std::vector<broker::UserId> reset_pairings(Pool& pool, const std::string& device_id) {
  return in_transaction(pool, [&](pqxx::work& work) {
    return ended_by(work, device_id, [&] { exec(work, sql::account_pairing_remove_all, device_id); });
  });
}

Page<PairedDevice> list_paired_devices(Pool& pool, broker::UserId user, const PageRequest& page) {
  return cut_page<PairedDevice>(ask(pool, sql::account_pairing_list, user.value, page.after, page.limit + 1),
                                page, to_paired, [](const PairedDevice& device) { return device.id; });
}

std::optional<PairedDevice> find_paired_device(Pool& pool, broker::UserId user,
                                               const std::string& device_id) {
  const pqxx::result rows = ask(pool, sql::account_pairing_find, user.value, device_id);
  if (rows.empty()) return std::nullopt;
  return to_paired(rows[0]);
}

std::optional<PairedDevice> rename_paired_device(Pool& pool, broker::UserId user,
                                                 const std::string& device_id, const std::string& name,
                                                 const std::function<void(const PairedDevice&)>& check) {
  return in_transaction(pool, [&](pqxx::work& work) -> std::optional<PairedDevice> {
    const pqxx::result found = exec(work, sql::account_pairing_lock, user.value, device_id);
    if (found.empty()) return std::nullopt;
    check(to_paired(found[0]));
    return to_paired(exec(work, sql::account_pairing_rename, user.value, device_id, name)[0]);
  });
}

std::vector<broker::UserId> unpair(Pool& pool, broker::UserId user, const std::string& device_id) {
  return in_transaction(pool, [&](pqxx::work& work) {
    return ended_by(work, device_id, [&] { exec(work, sql::account_pairing_remove, user.value, device_id); });
  });
}

}  // namespace wake::db
