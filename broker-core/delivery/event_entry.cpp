#include "broker-core/delivery/event_entry.hpp"

namespace wake::broker {

std::shared_ptr<const EntryRecord> event_entry() {
  static const auto the_entry = [] {
    auto entry = std::make_shared<EntryRecord>();
    entry->filter = kEventTopic;
    entry->push.ttl_s = 24 * 3600;
    return std::shared_ptr<const EntryRecord>(std::move(entry));
  }();
  return the_entry;
}

}  // namespace wake::broker
