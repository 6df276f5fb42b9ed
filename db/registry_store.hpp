// What the registry knows of users, as records for the shards and the push side. Read only; REST writes
// (account_store). Functions take a connection of the caller's, block, and throw pqxx errors (see
// storage_away.hpp).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "broker-core/delivery/records.hpp"
#include "db/connection_fwd.hpp"

namespace wake::db {

/// An entry whose stored policy cannot be read (edited by hand); it goes on with the default policy.
using OnBadPolicy = std::function<void(broker::EntryId, const std::string& what)>;

/// topic_entries.push of one entry as a policy.
broker::PushPolicy read_stored_policy(broker::EntryId entry, const char* text, const OnBadPolicy& bad = {});

/// All of one user in one snapshot. A user who does not exist is a record with empty lists.
broker::UserRecordPtr load_user(Connection& connection, broker::UserId user, const OnBadPolicy& bad = {});

/// Every user in order of id, in one snapshot, page by page.
void load_all_users(Connection& connection, const std::function<void(broker::UserRecordPtr)>& each,
                    const OnBadPolicy& bad = {});

std::optional<broker::UserId> load_user_id(Connection& connection, const std::string& username);
std::optional<broker::UserId> load_user_id_of_phone(Connection& connection, broker::PhoneId phone);

}  // namespace wake::db
