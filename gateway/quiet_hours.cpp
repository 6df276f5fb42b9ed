#include "gateway/quiet_hours.hpp"

#include <absl/time/time.h>

namespace wake::gateway {

bool is_time_zone(const std::string& name) {
  absl::TimeZone zone;
  return absl::LoadTimeZone(name, &zone);
}

bool is_quiet(const broker::QuietHours& hours, broker::UtcTime utc) {
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(hours.time_zone, &zone)) return false;
  const absl::CivilSecond local = zone.At(absl::FromUnixMicros(utc.time_since_epoch().count())).cs;
  const int minute = local.hour() * 60 + local.minute();
  if (hours.start_minute <= hours.end_minute)
    return hours.start_minute <= minute && minute < hours.end_minute;
  return minute >= hours.start_minute || minute < hours.end_minute;
}

}  // namespace wake::gateway
