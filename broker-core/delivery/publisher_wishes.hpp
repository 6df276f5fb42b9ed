// What the publisher of a message asks of its push, by v5 user properties (contract §6): wake-title,
// wake-body, wake-priority ("high" | "normal"), wake-collapse, wake-ttl (whole seconds). They go before the
// entry's own policy, for this message only. When to push at all is the entry's business and stays so.
#pragma once

#include <memory>

#include "broker-core/delivery/records.hpp"
#include "broker-core/persist.hpp"

namespace wake::broker {

/// The entry itself when the message asks for nothing (no copy). A wish that is not understood (a priority of
/// another name, a ttl that is no number) is passed over.
std::shared_ptr<const EntryRecord> with_wishes(const std::shared_ptr<const EntryRecord>& entry,
                                               const MessageRecord& message);

}  // namespace wake::broker
