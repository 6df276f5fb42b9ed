#include "gateway/rest/topic_filter.hpp"

#include <algorithm>

#include "broker-core/topic/topic_name.hpp"
#include "gateway/rest/problem.hpp"

namespace wake::gateway::rest {
namespace {
constexpr std::size_t kMaxLevels = 64;
}

void check_filter(const std::string& filter, const std::string& field) {
  if (!broker::is_valid_topic_filter(filter, kMaxLevels)) {
    throw invalid_field(field, "an MQTT topic filter: + for one level, # as the last one, at most 64 levels");
  }
  if (filter.starts_with('$'))
    throw invalid_field(field, "a filter of ordinary topics, not one that begins with $");
}

bool has_level(std::string_view filter, std::string_view level) {
  const broker::LevelRange levels(filter);
  return std::find(levels.begin(), levels.end(), level) != levels.end();
}

}  // namespace wake::gateway::rest
