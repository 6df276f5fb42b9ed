#include "broker-core/bridge/topic.hpp"

#include "broker-core/topic/topic_name.hpp"

namespace wake::broker {

namespace {

constexpr std::size_t kMostWords = 5;
constexpr std::size_t kMaxLevels = 65'535;  // [limits] max_topic_levels is the broker's call

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  constexpr std::string_view kBlank = " \t";
  for (std::size_t at = line.find_first_not_of(kBlank); at != line.npos;) {
    const std::size_t end = std::min(line.find_first_of(kBlank, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(kBlank, end);
  }
  return words;
}

std::string quoted(std::string_view word) { return "\"" + std::string(word) + "\""; }

std::string text_of(std::string_view word) { return word == "\"\"" ? std::string() : std::string(word); }

std::optional<BridgeTopic::Direction> direction_of(std::string_view word) {
  if (word == "out") return BridgeTopic::Direction::Out;
  if (word == "in") return BridgeTopic::Direction::In;
  if (word == "both") return BridgeTopic::Direction::Both;
  return std::nullopt;
}

bool is_filter(const std::string& filter) {
  return is_valid_topic_filter(filter, kMaxLevels) && !filter.starts_with("$share/");
}

/// Empty: nothing is.
std::string what_is_wrong(const BridgeTopic& topic) {
  if (topic.pattern.empty() && (topic.local_prefix.empty() || topic.remote_prefix.empty())) {
    return "a pattern, or with \"\" both prefixes";
  }
  for (const std::string& prefix : {topic.local_prefix, topic.remote_prefix}) {
    if (prefix.find_first_of("+#") != prefix.npos) return "a prefix without wildcards, not " + quoted(prefix);
  }
  for (const std::string& filter : {topic.local_filter(), topic.remote_filter()}) {
    if (!is_filter(filter)) return "prefix and pattern that make a topic filter, not " + quoted(filter);
  }
  if (topic.comes_in() && topic.local_filter().starts_with('$')) {
    return "a local topic that does not begin with $: what comes in is published there";
  }
  return {};
}

/// Empty: another prefix, or does not match.
std::optional<std::string> renamed(const BridgeTopic& topic, std::string_view name, const std::string& from,
                                   const std::string& to) {
  if (!name.starts_with(from)) return std::nullopt;
  if (!matches(from + topic.pattern, name)) return std::nullopt;
  return to + std::string(name.substr(from.size()));
}

}  // namespace

std::variant<BridgeTopic, std::string> parse_bridge_topic(std::string_view line) {
  const auto words = words_of(line);
  if (words.empty()) return "a pattern";
  if (words.size() > kMostWords) return "at most five words, no blank within a topic";
  BridgeTopic topic;
  topic.pattern = text_of(words[0]);
  if (words.size() > 1) {
    const auto direction = direction_of(words[1]);
    if (!direction) return "out, in or both, not " + quoted(words[1]);
    topic.direction = *direction;
  }
  if (words.size() > 2) {
    if (words[2] != "0" && words[2] != "1" && words[2] != "2") {
      return "a QoS of 0, 1 or 2, not " + quoted(words[2]);
    }
    topic.qos = static_cast<Qos>(words[2][0] - '0');
  }
  if (words.size() > 3) topic.local_prefix = text_of(words[3]);
  if (words.size() > 4) topic.remote_prefix = text_of(words[4]);
  if (std::string wrong = what_is_wrong(topic); !wrong.empty()) return wrong;
  return topic;
}

std::optional<std::string> to_remote(std::span<const BridgeTopic> topics, std::string_view local_topic) {
  for (const BridgeTopic& topic : topics) {
    if (!topic.goes_out()) continue;
    if (auto name = renamed(topic, local_topic, topic.local_prefix, topic.remote_prefix)) return name;
  }
  return std::nullopt;
}

std::optional<std::string> to_local(std::span<const BridgeTopic> topics, std::string_view remote_topic) {
  for (const BridgeTopic& topic : topics) {
    if (!topic.comes_in()) continue;
    if (auto name = renamed(topic, remote_topic, topic.remote_prefix, topic.local_prefix)) return name;
  }
  return std::nullopt;
}

}  // namespace wake::broker
