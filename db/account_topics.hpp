// The topic cache: a user's entries. Blocking, one transaction a call, throws StorageAway (see
// account_users.hpp). Any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "broker-core/delivery/records.hpp"
#include "db/account_page.hpp"
#include "db/idempotency_store.hpp"
#include "db/pool.hpp"

namespace wake::db {

struct EntryFilter {
  std::optional<std::string> device_id;
  std::optional<bool> subscribed;
};

/// `record.id` is made here; `record.device_id` is empty or paired with the user. Empty: the user has this
/// filter already, or the device was unpaired meanwhile.
std::optional<broker::EntryId> add_entry(Pool& pool, broker::UserId user, const broker::EntryRecord& record,
                                         const KeepAnswer<broker::EntryId>& keep = {});
int count_entries(Pool& pool, broker::UserId user);

/// Unread messages of an entry are counted so far.
inline constexpr int kMaxCountedUnread = 1000;

/// An entry with what its messages say. A message counts for the entry by which it came into the inbox.
struct ListedEntry {
  struct LastMessage {
    broker::MessageId id;
    broker::UtcTime at{};
  };
  broker::EntryRecord record;
  std::optional<LastMessage> last_message;  // also when it was acknowledged since
  int unread = 0;                           // in the inbox, at most kMaxCountedUnread
};
/// In order of id; `after` is an id.
Page<ListedEntry> list_entries(Pool& pool, broker::UserId user, const EntryFilter& filter,
                               const PageRequest& page, broker::UtcTime now);
std::optional<ListedEntry> find_entry(Pool& pool, broker::UserId user, broker::EntryId id,
                                      broker::UtcTime now);
/// Of the entries that a back end gave.
std::vector<std::string> list_granted_filters(Pool& pool, broker::UserId user);

enum class EntryUpdate { Done, NoSuchEntry, FilterTaken };
/// Read, changed by `change` (all but the id) and written in one go: another writer comes before it or after
/// it. What `change` throws comes out of here and leaves the entry as it was.
EntryUpdate change_entry(Pool& pool, broker::UserId user, broker::EntryId id,
                         const std::function<void(broker::EntryRecord&)>& change);
/// `check` sees what would be removed and may throw, as above. False: no such entry.
bool remove_entry(Pool& pool, broker::UserId user, broker::EntryId id,
                  const std::function<void(const broker::EntryRecord&)>& check);

}  // namespace wake::db
