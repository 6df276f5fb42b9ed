#include "broker-core/topic/retained_tree.hpp"

#include <algorithm>

#include "broker-core/topic/topic_name.hpp"

namespace wake::broker {
namespace {

/// '/' first, the other bytes in their own order behind it.
int rank_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '/' ? 0 : byte < '/' ? byte + 1 : byte;
}

/// The first place behind the whole subtree of `prefix`: U+0000 is in no topic, and comes right after '/'.
std::string behind_subtree(std::string_view prefix) { return std::string(prefix) + '\0'; }

}  // namespace

bool TreeOrder::operator()(std::string_view a, std::string_view b) const noexcept {
  const auto [at_a, at_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (at_b == b.end()) return false;
  return at_a == a.end() || rank_of(*at_a) < rank_of(*at_b);
}

TopicStep step_of(std::string_view filter, std::string_view topic) {
  using Kind = TopicStep::Kind;
  if (topic.starts_with('$') && (filter.starts_with('+') || filter.starts_with('#'))) {
    return {Kind::SeekTo, std::string(1, '$' + 1)};
  }
  const LevelRange filter_levels(filter);
  const LevelRange topic_levels(topic);
  auto wanted = filter_levels.begin();
  auto level = topic_levels.begin();
  std::size_t prefix_bytes = 0;  // of the levels that agree, without the slash behind them
  for (; wanted != filter_levels.end(); ++wanted, ++level) {
    if (*wanted == "#") return {Kind::Match};
    const bool is_first = wanted == filter_levels.begin();
    const std::string_view prefix = topic.substr(0, prefix_bytes);
    if (level == topic_levels.end()) return {Kind::SeekTo, std::string(topic) + '/'};
    if (*wanted != "+" && *wanted != *level) {
      if (*level < *wanted) {
        return {Kind::SeekTo, std::string(prefix).append(is_first ? "" : "/").append(*wanted)};
      }
      if (is_first) return {Kind::End};
      return {Kind::SeekTo, behind_subtree(prefix)};
    }
    prefix_bytes += (*level).size() + (is_first ? 0 : 1);
  }
  if (level == topic_levels.end()) return {Kind::Match};
  return {Kind::SeekTo, behind_subtree(topic.substr(0, prefix_bytes))};
}

}  // namespace wake::broker
