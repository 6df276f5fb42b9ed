// The gateway's own events ring by no topic entry of the user's, so nobody's unsubscribing ends them. No
// other message is on their topic: no entry's filter matches one that begins with $.
#pragma once

#include <memory>
#include <string_view>

#include "broker-core/delivery/records.hpp"

namespace wake::broker {

inline constexpr std::string_view kEventTopic = "$wake/events";
/// To connected phones, when the topic cache of their user is not what it was. It rings nowhere: an app that
/// is closed reads the cache when it opens.
inline constexpr std::string_view kTopicsChanged = R"({"type":"topics_changed"})";

/// What they ring by: mode fallback, for a day. Its id is 0, which is no row's. Title and body come with the
/// message, as wishes (publisher_wishes.hpp).
std::shared_ptr<const EntryRecord> event_entry();

inline bool is_event_entry(const EntryRecord& entry) { return entry.id == EntryId{}; }

}  // namespace wake::broker
