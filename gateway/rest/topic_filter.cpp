#include "gateway/rest/topic_filter.hpp"

#include <algorithm>

#include "broker-core/topic/topic_name.hpp"
#include "gateway/rest/problem.hpp"

namespace wake::gateway::rest {
void check_filter(const std::string& filter, const std::string& field, std::size_t max_levels) {
  if (!broker::is_valid_topic_filter(filter, max_levels)) {
    throw invalid_field(field, "an MQTT topic filter: + for one level, # as the last one, at most " +
                                   std::to_string(max_levels) + " levels");
  }
  if (filter.starts_with('$'))
    throw invalid_field(field, "a filter of ordinary topics, not one that begins with $");
}

bool has_level(std::string_view filter, std::string_view level) {
  const broker::LevelRange levels(filter);
  return std::find(levels.begin(), levels.end(), level) != levels.end();
}

}  // namespace wake::gateway::rest
