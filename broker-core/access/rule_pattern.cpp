#include "broker-core/access/rule_pattern.hpp"

#include "broker-core/topic/topic_name.hpp"

namespace wake::broker {

std::optional<std::string> fill_in_rule(std::string_view pattern, std::string_view username,
                                        std::string_view client_id) {
  std::string filter;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool is_mark =
        pattern[i] == '%' && i + 1 < pattern.size() && (pattern[i + 1] == 'u' || pattern[i + 1] == 'c');
    if (!is_mark) {
      filter += pattern[i];
      continue;
    }
    const std::string_view name = pattern[++i] == 'u' ? username : client_id;
    if (!is_id_allowed(name)) return std::nullopt;
    filter += name;
  }
  if (!is_valid_topic_filter(filter, kMaxTopicBytes)) return std::nullopt;
  return filter;
}

}  // namespace wake::broker
