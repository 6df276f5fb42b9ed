#include "broker-core/topic/topic_name.hpp"

#include <algorithm>
#include <cstdint>

#include "broker-core/packet/utf8.hpp"

namespace wake::broker {

namespace {

constexpr std::string_view kSharePrefix = "$share/";

/// U+0000..U+001F, U+007F..U+009F; `text` is valid UTF-8, where the last 32 are 0xC2 0x80..0x9F.
bool has_control(std::string_view text) {
  std::uint8_t before = 0;
  for (const char each : text) {
    const auto byte = static_cast<std::uint8_t>(each);
    if (byte < 0x20 || byte == 0x7F || (before == 0xC2 && byte <= 0x9F)) return true;
    before = byte;
  }
  return false;
}

bool is_topic_text(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTopicBytes && is_valid_utf8(text) && !has_control(text);
}

/// Each wildcard alone in its level, # in the last one only.
bool are_wildcards_valid(std::string_view filter) {
  const LevelRange levels(filter);
  for (auto level = levels.begin(); level != levels.end(); ++level) {
    if ((*level).find_first_of("+#") == std::string_view::npos) continue;
    if ((*level).size() != 1) return false;
    if (*level == "#" && !level.is_last()) return false;
  }
  return true;
}

}  // namespace

std::size_t level_count(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count(text, '/')) + 1;
}

bool is_valid_topic_name(std::string_view topic, std::size_t max_levels) {
  return is_topic_text(topic) && topic.find_first_of("+#") == std::string_view::npos &&
         level_count(topic) <= max_levels;
}

bool is_valid_topic_filter(std::string_view filter, std::size_t max_levels) {
  if (!is_topic_text(filter)) return false;
  if (filter.starts_with(kSharePrefix)) {
    const auto shared = parse_shared(filter);
    if (!shared) return false;
    filter = shared->filter;
  }
  return are_wildcards_valid(filter) && level_count(filter) <= max_levels;
}

std::optional<SharedFilter> parse_shared(std::string_view filter) {
  if (!filter.starts_with(kSharePrefix)) return std::nullopt;
  filter.remove_prefix(kSharePrefix.size());
  const std::size_t slash = filter.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == filter.size()) return std::nullopt;
  const SharedFilter shared{filter.substr(0, slash), filter.substr(slash + 1)};
  if (shared.share_name.find_first_of("+#") != std::string_view::npos) return std::nullopt;
  return shared;
}

bool matches(std::string_view filter, std::string_view topic) {
  if (topic.starts_with('$') && (filter.starts_with('+') || filter.starts_with('#'))) return false;
  const LevelRange wanted(filter);
  const LevelRange levels(topic);
  auto level = levels.begin();
  for (const std::string_view want : wanted) {
    if (want == "#") return true;  // the parent level too: v5 §4.7.1.2
    if (level == levels.end() || (want != "+" && want != *level)) return false;
    ++level;
  }
  return level == levels.end();
}

bool is_id_allowed(std::string_view id) {
  return !id.empty() && id.size() <= kMaxIdBytes && is_valid_utf8(id) && !has_control(id) &&
         id.find_first_of("+#/") == std::string_view::npos;
}

}  // namespace wake::broker
