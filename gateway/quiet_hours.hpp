// Quiet hours in the phone's own time zone (contract §10), for the core, which knows no zones.
#pragma once

#include "broker-core/delivery/records.hpp"
#include "broker-core/types.hpp"

namespace wake::gateway {

/// Does `utc` fall into [start, end) by the wall clock of `hours.time_zone`? start > end: over midnight;
/// start == end: never. A zone that this machine's zoneinfo does not know: never (REST refuses such a zone
/// beforehand). Thread: any; zones are loaded once and kept.
bool is_quiet(const broker::QuietHours& hours, broker::UtcTime utc);

/// Is it an IANA zone of this machine's zoneinfo ("Europe/Berlin")?
bool is_time_zone(const std::string& name);

}  // namespace wake::gateway
