// What REST accepts as the filter of a topic entry.
#pragma once

#include <string>
#include <string_view>

namespace wake::gateway::rest {

/// Shorter than MQTT's 65,535: the database keeps (user, filter) unique in an index whose keys are bounded.
inline constexpr std::size_t kMaxFilterBytes = 1024;

/// Throws Problem 422 naming `field` unless it is a valid filter of at most `max_levels` ([limits]
/// max_topic_levels) without $share and not of $SYS or $wake.
void check_filter(const std::string& filter, const std::string& field, std::size_t max_levels);

bool has_level(std::string_view filter, std::string_view level);

}  // namespace wake::gateway::rest
