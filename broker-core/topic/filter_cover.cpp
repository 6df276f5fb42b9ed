#include "broker-core/topic/filter_cover.hpp"

#include "broker-core/topic/topic_name.hpp"

namespace wake::broker {
namespace {

bool begins_with_wildcard(std::string_view filter) {
  return filter.starts_with('+') || filter.starts_with('#');
}

}  // namespace

bool covers(std::string_view wider, std::string_view narrower) {
  if (narrower.starts_with('$') && begins_with_wildcard(wider)) return false;
  // Every topic has a first level; further down a level may be missing, as "a" is under "a/#" and not under
  // "a/+/#".
  if (narrower == "#" && wider == "+/#") return true;

  const LevelRange wide_levels(wider);
  const LevelRange narrow_levels(narrower);
  auto wide = wide_levels.begin();
  auto narrow = narrow_levels.begin();
  for (; wide != wide_levels.end(); ++wide, ++narrow) {
    if (*wide == "#") return true;
    if (narrow == narrow_levels.end() || *narrow == "#") return false;
    if (*wide != "+" && *wide != *narrow) return false;
  }
  return narrow == narrow_levels.end();
}

}  // namespace wake::broker
