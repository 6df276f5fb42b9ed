#include "db/registry_store.hpp"

#include <chrono>
#include <limits>

#include <pqxx/connection>
#include <pqxx/transaction>

#include "db/columns.hpp"
#include "db/exec.hpp"
#include "db/push_policy_json.hpp"
#include "db/sql/registry.sql.hpp"

namespace wake::db {
namespace {

using broker::EntryRecord;
using broker::PhoneRecord;
using broker::UserId;
using broker::UserRecord;
using Snapshot = pqxx::transaction<pqxx::repeatable_read, pqxx::read_only>;
using Page = std::vector<std::shared_ptr<UserRecord>>;

constexpr int kUsersPerPage = 5'000;

PhoneRecord as_phone(const pqxx::row& row) {
  using namespace broker;
  PhoneRecord phone;
  phone.id.value = as_integer(row[1]);
  phone.phone_id = as_string(row[2]);
  phone.client_id.value = as_string(row[3]);
  phone.token.platform = as_string(row[4]) == "fcm" ? Platform::Fcm : Platform::Apns;
  phone.token.app_id = as_string(row[5]);
  phone.token.environment = as_string(row[6]) == "sandbox" ? Environment::Sandbox : Environment::Production;
  phone.token.environment_proven = as_bool(row[7]);
  phone.token.kind = as_string(row[8]) == "fid" ? TokenKind::Fid : TokenKind::Token;
  phone.token.token = as_string(row[9]);
  phone.token.registered_at = as_time(row[10]);
  phone.locale = as_string(row[11]);
  return phone;
}

std::shared_ptr<const EntryRecord> as_entry(const pqxx::row& row, const OnBadPolicy& bad) {
  auto entry = std::make_shared<EntryRecord>();
  entry->id.value = as_integer(row[1]);
  entry->filter = as_string(row[2]);
  entry->device_id = as_string(row[3]);
  entry->device_name = as_string(row[4]);
  entry->title = as_string(row[5]);
  entry->subscribed = as_bool(row[6]);
  entry->push = read_stored_policy(entry->id, row[7].c_str(), bad);
  entry->is_granted = as_bool(row[8]);
  return entry;
}

std::shared_ptr<UserRecord> make_user(UserId id, std::string username, broker::SteadyTime read_at) {
  auto user = std::make_shared<UserRecord>();
  user->read_at = read_at;
  user->id = id;
  user->username = std::move(username);
  return user;
}

/// Gives each row to its user. Users and rows are in order of user id, so one walk does.
template <class Give>
void hand_out(const pqxx::result& rows, const Page& page, Give&& give) {
  auto user = page.begin();
  for (const auto& row : rows) {
    const std::int64_t owner = as_integer(row[0]);
    while (user != page.end() && (*user)->id.value < owner) ++user;
    if (user == page.end()) return;
    if ((*user)->id.value == owner) give(**user, row);
  }
}

/// `read_at`: before the snapshot was taken.
Page load_page(Snapshot& snapshot, std::int64_t first, std::int64_t last, broker::SteadyTime read_at,
               const OnBadPolicy& bad) {
  Page page;
  for (const auto& row : exec(snapshot, sql::list_users, first, last, kUsersPerPage)) {
    page.push_back(make_user({as_integer(row[0])}, as_string(row[1]), read_at));
  }
  if (page.empty()) return page;
  first = page.front()->id.value;
  last = page.back()->id.value;
  hand_out(exec(snapshot, sql::list_paired_devices, first, last), page,
           [](UserRecord& user, const pqxx::row& row) { user.device_ids.push_back(as_string(row[1])); });
  hand_out(exec(snapshot, sql::list_read_rules, first, last), page,
           [](UserRecord& user, const pqxx::row& row) { user.read_rules.push_back(as_string(row[1])); });
  hand_out(exec(snapshot, sql::list_phones, first, last), page,
           [](UserRecord& user, const pqxx::row& row) { user.phones.push_back(as_phone(row)); });
  hand_out(exec(snapshot, sql::list_entries, first, last), page,
           [&](UserRecord& user, const pqxx::row& row) { user.entries.push_back(as_entry(row, bad)); });
  return page;
}

}  // namespace

broker::PushPolicy read_stored_policy(broker::EntryId entry, const char* text, const OnBadPolicy& bad) {
  auto parsed = from_json_text(text);
  if (auto* policy = std::get_if<broker::PushPolicy>(&parsed)) return std::move(*policy);
  const auto& error = std::get<PolicyError>(parsed);
  if (bad) bad(entry, error.field + ": expected " + error.expected);
  return {};
}

broker::UserRecordPtr load_user(Connection& connection, UserId user, const OnBadPolicy& bad) {
  const broker::SteadyTime read_at = std::chrono::steady_clock::now();
  Snapshot snapshot(connection);
  const Page page = load_page(snapshot, user.value, user.value, read_at, bad);
  if (!page.empty()) return page.front();
  return make_user(user, "", read_at);
}

void load_all_users(Connection& connection, const std::function<void(broker::UserRecordPtr)>& each,
                    const OnBadPolicy& bad) {
  const broker::SteadyTime read_at = std::chrono::steady_clock::now();
  Snapshot snapshot(connection);
  std::int64_t first = 0;
  while (true) {
    Page page = load_page(snapshot, first, std::numeric_limits<std::int64_t>::max(), read_at, bad);
    if (page.empty()) return;
    first = page.back()->id.value + 1;
    for (auto& user : page) each(std::move(user));
  }
}

std::optional<UserId> load_user_id(Connection& connection, const std::string& username) {
  Snapshot snapshot(connection);
  const auto rows = exec(snapshot, sql::find_user_id, username);
  if (rows.empty()) return std::nullopt;
  return UserId{as_integer(rows[0][0])};
}

std::optional<UserId> load_user_id_of_phone(Connection& connection, broker::PhoneId phone) {
  Snapshot snapshot(connection);
  const auto rows = exec(snapshot, sql::find_phone_owner, phone.value);
  if (rows.empty()) return std::nullopt;
  return UserId{as_integer(rows[0][0])};
}

}  // namespace wake::db
