// Topics that begin with $SYS or $wake belong to the gateway: no device id, key or rule reaches them. Nor is
// there a topic below $share: a subscription to it would be a shared one (v5 §4.8.2), so nobody could read
// it.
#include "broker-core/access/grants.hpp"

#include <algorithm>

#include "broker-core/topic/filter_cover.hpp"
#include "broker-core/topic/topic_name.hpp"

namespace wake::broker {
namespace {

enum class Area { Common, Sys, Wake, Share };

/// Of a topic or filter. A filter that begins with a wildcard matches no $-topic, so the first level tells.
Area area_of(std::string_view topic) {
  if (!topic.starts_with('$')) return Area::Common;
  const std::string_view first = *LevelRange(topic).begin();
  if (first == "$SYS") return Area::Sys;
  if (first == "$wake") return Area::Wake;
  return first == "$share" ? Area::Share : Area::Common;
}

/// A wildcard is never a device id, so in a filter only literal levels count, and each is in every topic that
/// it matches.
bool has_device_level(const std::vector<std::string>& device_ids, std::string_view topic) {
  if (device_ids.empty()) return false;
  const LevelRange levels(topic);
  return std::any_of(levels.begin(), levels.end(), [&](std::string_view level) {
    return std::binary_search(device_ids.begin(), device_ids.end(), level);
  });
}

bool is_covered(const std::vector<std::string>& filters, std::string_view topic) {
  return std::any_of(filters.begin(), filters.end(),
                     [&](const std::string& filter) { return covers(filter, topic); });
}

bool has_rule(const std::vector<AclRule>& rules, bool AclRule::*may, std::string_view topic) {
  return std::any_of(rules.begin(), rules.end(),
                     [&](const AclRule& rule) { return rule.*may && covers(rule.filter, topic); });
}

/// To read: a topic to be delivered, or a filter to be subscribed, outside of $SYS and $wake.
bool may_read(const Grants& grants, std::string_view filter) {
  return grants.is_superuser || has_device_level(grants.device_ids, filter) ||
         is_covered(grants.subscribe_filters, filter) ||
         has_rule(grants.rules, &AclRule::may_subscribe, filter);
}

}  // namespace

bool Grants::may_publish(std::string_view topic) const {
  if (area_of(topic) != Area::Common) return false;
  return is_superuser || has_device_level(device_ids, topic) || is_covered(publish_filters, topic) ||
         has_rule(rules, &AclRule::may_publish, topic);
}

bool Grants::may_subscribe(std::string_view filter) const {
  switch (area_of(filter)) {
    case Area::Sys:
      return may_see_sys;
    case Area::Wake:
    case Area::Share:
      return false;
    case Area::Common:
      break;
  }
  return may_read(*this, filter);
}

bool Grants::may_receive(std::string_view topic) const {
  switch (area_of(topic)) {
    case Area::Sys:
      return may_see_sys;
    case Area::Wake:
      return topic == "$wake/events";
    case Area::Share:
      return false;
    case Area::Common:
      break;
  }
  return may_read(*this, topic);
}

}  // namespace wake::broker
