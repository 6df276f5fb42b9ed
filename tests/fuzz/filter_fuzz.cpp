// A filter and a topic, one line each: what is_valid_… accepts keeps its promises, and matches() agrees with
// the plainest reading of the specification, written a second time below.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "broker-core/packet/utf8.hpp"
#include "broker-core/topic/topic_name.hpp"

namespace {

using namespace wake::broker;

constexpr std::size_t kMaxLevels = 64;

void require(bool is_true) {
  if (!is_true) std::abort();
}

using Levels = std::vector<std::string_view>;

Levels split(std::string_view text) {
  Levels levels;
  std::size_t start = 0;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && text[at] != '/') continue;
    levels.push_back(text.substr(start, at - start));
    start = at + 1;
  }
  return levels;
}

bool reference_matches(std::string_view filter, std::string_view topic) {
  const Levels wanted = split(filter);
  const Levels levels = split(topic);
  if (topic[0] == '$' && (wanted[0] == "+" || wanted[0] == "#")) return false;
  const bool is_open = wanted.back() == "#";
  const std::size_t fixed = wanted.size() - (is_open ? 1 : 0);
  if (is_open ? levels.size() < fixed : levels.size() != fixed) return false;
  for (std::size_t i = 0; i < fixed; ++i) {
    if (wanted[i] != "+" && wanted[i] != levels[i]) return false;
  }
  return true;
}

void check_levels(std::string_view text) {
  Levels levels;
  for_each_level(text, [&](std::string_view level) { levels.push_back(level); });
  require(levels == split(text));
  require(levels.size() == level_count(text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = input.find('\n');
  std::string_view filter = input.substr(0, line);
  const std::string_view topic = line == std::string_view::npos ? std::string_view() : input.substr(line + 1);
  check_levels(filter);
  if (is_id_allowed(topic)) require(is_valid_topic_name(topic, 1));

  const bool is_filter = is_valid_topic_filter(filter, kMaxLevels);
  const bool is_topic = is_valid_topic_name(topic, kMaxLevels);
  if (is_topic && !topic.starts_with("$share/")) require(is_valid_topic_filter(topic, kMaxLevels));
  if (is_filter) require(is_valid_utf8(filter) && !filter.empty());
  if (const auto shared = parse_shared(filter)) {
    require(!shared->share_name.empty() && !shared->filter.empty());
    filter = shared->filter;
  }
  if (is_filter && is_topic) require(matches(filter, topic) == reference_matches(filter, topic));
  return 0;
}
