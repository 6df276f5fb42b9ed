// What account_pairings.cpp and account_members.cpp share. Heavy (libpqxx): include it in .cpp files only.
#pragma once

#include <algorithm>
#include <vector>

#include "db/account_pairings.hpp"
#include "db/account_row.hpp"
#include "db/sql/account_pairings.sql.hpp"

namespace wake::db::account {

/// Columns device_id, name, role, paired_us.
PairedDevice to_paired(const pqxx::row& row);
PairingRole to_role(const pqxx::field& field);
/// Locks the device against other changes of its pairings, runs `change`; whose pairings ended by it.
std::vector<broker::UserId> ended_by(pqxx::work& work, const std::string& device_id,
                                     const std::function<void()>& change);

}  // namespace wake::db::account
