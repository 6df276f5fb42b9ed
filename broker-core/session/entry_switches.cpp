#include "broker-core/session/entry_switches.hpp"

#include <algorithm>

namespace wake::broker {

UserRecordPtr with_entry(const UserRecordPtr& user, std::string_view filter, bool is_subscribed) {
  const auto found =
      std::ranges::find_if(user->entries, [&](const auto& entry) { return entry->filter == filter; });
  if (found == user->entries.end() || (*found)->subscribed == is_subscribed) return nullptr;
  auto entry = std::make_shared<EntryRecord>(**found);
  entry->subscribed = is_subscribed;
  auto changed = std::make_shared<UserRecord>(*user);
  changed->entries[static_cast<std::size_t>(found - user->entries.begin())] = std::move(entry);
  return changed;
}

void EntrySwitches::add(UserId user, std::string_view filter, bool is_subscribed, std::uint64_t batch) {
  auto& switches = of_user_[user];
  std::erase_if(switches, [&](const Switched& one) { return one.filter == filter; });
  switches.push_back({.filter = std::string(filter), .is_subscribed = is_subscribed, .batch = batch});
}

EntrySwitches::Overlaid EntrySwitches::lay_over(const UserRecordPtr& record) {
  Overlaid overlaid{record};
  const auto known = of_user_.find(record->id);
  if (known == of_user_.end()) return overlaid;
  std::erase_if(known->second, [&](const Switched& one) { return one.stored_at <= record->read_at; });
  for (Switched& one : known->second) {
    const UserRecordPtr changed = with_entry(overlaid.record, one.filter, one.is_subscribed);
    if (!changed) continue;
    overlaid.record = changed;
    one.is_doubted = true;
    overlaid.must_read_again |= one.stored_at != SteadyTime::max();
  }
  if (known->second.empty()) of_user_.erase(known);
  return overlaid;
}

bool EntrySwitches::answered(UserId user, std::string_view filter, std::uint64_t batch, bool is_failed,
                             SteadyTime now) {
  const auto known = of_user_.find(user);
  if (known == of_user_.end()) return false;
  const auto one = std::ranges::find_if(
      known->second, [&](const Switched& other) { return other.filter == filter && other.batch == batch; });
  if (one == known->second.end()) return false;  // switched again since
  one->stored_at = now;
  if (!is_failed) return one->is_doubted;
  known->second.erase(one);
  if (known->second.empty()) of_user_.erase(known);
  return true;
}

}  // namespace wake::broker
