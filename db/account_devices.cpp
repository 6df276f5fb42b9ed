#include "db/account_devices.hpp"

#include <algorithm>

#include <pqxx/except>

#include "db/account_row.hpp"
#include "db/keep_answer.hpp"
#include "db/sql/account_devices.sql.hpp"

namespace wake::db {

using namespace account;

namespace {

Device to_device(const pqxx::row& row) {
  return {row["id"].as<std::string>(), row["name"].as<std::string>(),
          from_hex(row["secret_hex"].as<std::string>()), to_time(row["created_us"]),
          row["scram"].as<std::string>()};
}

/// The device of the first row, and the answer that tells of it; nothing where there is none.
std::optional<Device> made_device(pqxx::work& work, const pqxx::result& rows,
                                  const KeepAnswer<Device>& keep) {
  if (rows.empty()) return std::nullopt;
  Device device = to_device(rows[0]);
  keep_answer(work, keep, device);
  return device;
}

std::optional<Device> first_device(const pqxx::result& rows) {
  if (rows.empty()) return std::nullopt;
  return to_device(rows[0]);
}

bool is_device_id_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == ':' || c == '-';
}

}  // namespace

bool is_device_id(const std::string& id) {
  return !id.empty() && id.size() <= 64 && id != "api-key" &&
         std::all_of(id.begin(), id.end(), is_device_id_character);
}

std::optional<Device> add_device(Pool& pool, const std::string& id, const std::string& name,
                                 const std::string& secret_hash, const std::string& scram,
                                 const KeepAnswer<Device>& keep) {
  try {
    return in_transaction(pool, [&](pqxx::work& work) {
      return made_device(work, exec(work, sql::account_device_add, id, name, to_hex(secret_hash), scram),
                         keep);
    });
  } catch (const pqxx::unique_violation&) {  // a user's name (trigger devices_name)
    return std::nullopt;
  }
}

void keep_scram(Pool& pool, const Device& device, const std::string& scram) {
  ask(pool, sql::account_device_keep_scram, device.id, to_hex(device.secret_hash), scram);
}

std::optional<Device> set_device_secret(Pool& pool, const std::string& id, const std::string& secret_hash,
                                        const std::string& scram, const KeepAnswer<Device>& keep) {
  return in_transaction(pool, [&](pqxx::work& work) {
    return made_device(work, exec(work, sql::account_device_set_secret, id, to_hex(secret_hash), scram),
                       keep);
  });
}

std::optional<Device> find_device(Pool& pool, const std::string& id) {
  return first_device(ask(pool, sql::account_device_find, id));
}

Page<Device> list_devices(Pool& pool, const PageRequest& page) {
  return cut_page<Device>(ask(pool, sql::account_device_list, page.after, page.limit + 1), page, to_device,
                          [](const Device& device) { return device.id; });
}

DeviceRemoval remove_device(Pool& pool, const std::string& id) {
  return in_transaction(pool, [&](pqxx::work& work) {
    DeviceRemoval removal;
    if (exec(work, sql::account_device_lock, id).empty()) return removal;
    removal.is_removed = true;
    for (const pqxx::row& row : exec(work, sql::account_device_users, id)) {
      removal.users.push_back(broker::UserId{row[0].as<std::int64_t>()});
    }
    exec(work, sql::account_device_remove, id);
    exec(work, sql::account_device_drop_sessions, id);
    return removal;
  });
}

}  // namespace wake::db
