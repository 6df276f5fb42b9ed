// The topic cache: a user's entries. Blocking, one transaction a call, throws StorageAway (see
// account_users.hpp). Any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "broker-core/delivery/records.hpp"
#include "db/account_page.hpp"
#include "db/pool.hpp"

namespace wake::db {

struct EntryFilter {
  std::optional<std::string> device_id;
  std::optional<bool> subscribed;
};

/// `record.id` is made here; `record.device_id` is empty or paired with the user. Empty: the user has this
/// filter already, or the device was unpaired meanwhile.
std::optional<broker::EntryId> add_entry(Pool& pool, broker::UserId user, const broker::EntryRecord& record);
/// In order of id; `after` is an id.
Page<broker::EntryRecord> list_entries(Pool& pool, broker::UserId user, const EntryFilter& filter,
                                       const PageRequest& page);
std::optional<broker::EntryRecord> find_entry(Pool& pool, broker::UserId user, broker::EntryId id);

enum class EntryUpdate { Done, NoSuchEntry, FilterTaken };
/// Read, changed by `change` (all but the id) and written in one go: another writer comes before it or after
/// it. What `change` throws comes out of here and leaves the entry as it was.
EntryUpdate change_entry(Pool& pool, broker::UserId user, broker::EntryId id,
                         const std::function<void(broker::EntryRecord&)>& change);
/// `check` sees what would be removed and may throw, as above. False: no such entry.
bool remove_entry(Pool& pool, broker::UserId user, broker::EntryId id,
                  const std::function<void(const broker::EntryRecord&)>& check);

}  // namespace wake::db
