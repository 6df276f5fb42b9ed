#include "db/account_pairings.hpp"

#include "db/account_row.hpp"
#include "db/sql/account_pairings.sql.hpp"

namespace wake::db {

using namespace account;

namespace {

PairedDevice to_paired(const pqxx::row& row) {
  return {row["device_id"].as<std::string>(), row["name"].as<std::string>(), to_time(row["paired_us"])};
}

}  // namespace

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
    ClaimResult result;
    const pqxx::result used =
        exec(work, sql::account_code_use, claim.code, claim.device_id, to_us(claim.now));
    if (used.empty()) return result;
    result.outcome = ClaimResult::Outcome::Paired;
    result.user = broker::UserId{used[0][0].as<std::int64_t>()};
    result.name = exec(work, sql::account_pairing_put, result.user.value, claim.device_id, claim.name)[0][0]
                      .as<std::string>();
    for (const ClaimTopic& topic : claim.topics) {
      exec(work, sql::account_pairing_add_entry, result.user.value, claim.device_id, topic.filter,
           topic.title);
    }
    return result;
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

bool unpair(Pool& pool, broker::UserId user, const std::string& device_id) {
  return ask(pool, sql::account_pairing_remove, user.value, device_id).affected_rows() == 1;
}

}  // namespace wake::db
