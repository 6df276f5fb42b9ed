#include "broker-core/topic/topic_name.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "broker-core/packet/utf8.hpp"

namespace wake::broker {

namespace {

constexpr std::string_view kSharePrefix = "$share/";

// What a byte can mean here, as bits: a text is looked at once, on the way of every publish.
constexpr std::uint8_t kControl = 1;
constexpr std::uint8_t kWildcard = 2;
constexpr std::uint8_t kSlash = 4;
constexpr std::uint8_t kNotAscii = 8;

constexpr std::array<std::uint8_t, 256> kMeaning = [] {
  std::array<std::uint8_t, 256> meaning{};
  for (std::size_t byte = 0; byte < 0x20; ++byte) meaning[byte] = kControl;
  meaning[0x7F] = kControl;
  meaning['+'] = meaning['#'] = kWildcard;
  meaning['/'] = kSlash;
  for (std::size_t byte = 0x80; byte < 256; ++byte) meaning[byte] = kNotAscii;
  return meaning;
}();

/// U+0080..U+009F; `text` is valid UTF-8, where they are 0xC2 0x80..0x9F.
bool has_late_control(std::string_view text) {
  for (std::size_t at = text.find('\xC2'); at != std::string_view::npos; at = text.find('\xC2', at + 1)) {
    if (static_cast<std::uint8_t>(text[at + 1]) <= 0x9F) return true;
  }
  return false;
}

/// UTF-8 without control characters, and what else is in it.
struct Scan {
  bool is_text = false;
  bool has_wildcard = false;
  std::size_t slash_count = 0;
};

constexpr std::uint64_t each_byte(std::uint8_t value) { return value * 0x0101010101010101u; }

/// The high bit of every byte that is `value`; the word is ASCII.
std::uint64_t bytes_that_are(std::uint64_t word, std::uint8_t value) {
  return ~((word ^ each_byte(value)) + each_byte(0x7F)) & each_byte(0x80);
}

/// Eight bytes at once, while they are ASCII; what is left over goes byte by byte.
std::size_t scan_words(std::string_view text, unsigned& found, std::size_t& slash_count) {
  std::size_t at = 0;
  for (; text.size() - at >= 8; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof word);
    if ((word & each_byte(0x80)) != 0) break;
    const std::uint64_t printable = (word + each_byte(0x80 - 0x20)) & each_byte(0x80);
    if (printable != each_byte(0x80) || bytes_that_are(word, 0x7F) != 0) found |= kControl;
    if ((bytes_that_are(word, '+') | bytes_that_are(word, '#')) != 0) found |= kWildcard;
    slash_count += (bytes_that_are(word, '/') >> 7) * each_byte(1) >> 56;  // the sum of the bytes
  }
  return at;
}

Scan scan(std::string_view text) {
  unsigned found = 0;
  std::size_t slash_count = 0;
  for (const char each : text.substr(scan_words(text, found, slash_count))) {
    const std::uint8_t meaning = kMeaning[static_cast<std::uint8_t>(each)];
    found |= meaning;
    slash_count += meaning == kSlash ? 1 : 0;
  }
  bool is_text = (found & kControl) == 0;
  if (is_text && (found & kNotAscii) != 0) is_text = is_valid_utf8(text) && !has_late_control(text);
  return {is_text, (found & kWildcard) != 0, slash_count};
}

bool is_topic_size(std::string_view text) { return !text.empty() && text.size() <= kMaxTopicBytes; }

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
  if (!is_topic_size(topic)) return false;
  const Scan seen = scan(topic);
  return seen.is_text && !seen.has_wildcard && seen.slash_count < max_levels;
}

bool is_valid_topic_filter(std::string_view filter, std::size_t max_levels) {
  if (!is_topic_size(filter)) return false;
  const Scan seen = scan(filter);
  if (!seen.is_text) return false;
  if (filter.starts_with(kSharePrefix)) {
    const auto shared = parse_shared(filter);
    if (!shared) return false;
    filter = shared->filter;
  }
  return (!seen.has_wildcard || are_wildcards_valid(filter)) && level_count(filter) <= max_levels;
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
  if (id.empty() || id.size() > kMaxIdBytes) return false;
  const Scan seen = scan(id);
  return seen.is_text && !seen.has_wildcard && seen.slash_count == 0;
}

}  // namespace wake::broker
