// A second, slow opinion on topic filters for the randomised tests: the text of v3.1.1 §4.7 as plain
// recursion, sharing no code with the product. And a source of topics and filters from a small alphabet, so
// that matches are frequent.
#pragma once

#include <random>
#include <string>
#include <vector>

namespace wake::broker::oracle {

using Levels = std::vector<std::string>;

inline Levels split(const std::string& text) {
  Levels levels(1);
  for (const char c : text) {
    if (c == '/') {
      levels.emplace_back();
    } else {
      levels.back() += c;
    }
  }
  return levels;
}

inline bool matches(const Levels& filter, const Levels& topic, std::size_t f = 0, std::size_t t = 0) {
  const bool is_hidden = t == 0 && topic[0][0] == '$';
  if (f == filter.size()) return t == topic.size();
  if (filter[f] == "#") return !is_hidden;
  if (t == topic.size()) return false;
  if (filter[f] == "+" ? is_hidden : filter[f] != topic[t]) return false;
  return matches(filter, topic, f + 1, t + 1);
}

inline bool matches(const std::string& filter, const std::string& topic) {
  return matches(split(filter), split(topic));
}

/// Texts of 1 to 5 levels. The levels sort on both sides of '/', share prefixes, and may be empty or begin
/// with $.
class Texts {
 public:
  explicit Texts(unsigned seed) : random_(seed) {}

  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
  std::string topic() { return text(false); }
  std::string filter() { return text(true); }

 private:
  std::string text(bool with_wildcards) {
    static const char* const kLevels[] = {"a", "b", "ab", "a-b", "", "a0", "\xE7\x9B\xB8"};
    const unsigned level_count = 1 + below(5);
    std::string made = below(10) == 0 ? "$S" : "";
    for (unsigned level = 0; level < level_count; ++level) {
      if (level > 0) made += '/';
      if (level == 0 && !made.empty()) continue;
      const unsigned dice = with_wildcards ? below(10) : 10;
      if (dice == 0 || (dice < 3 && level + 1 == level_count)) return made + "#";
      made += dice < 5 ? "+" : kLevels[below(7)];
    }
    return made.empty() ? "/" : made;
  }

  std::mt19937 random_;
};

}  // namespace wake::broker::oracle
