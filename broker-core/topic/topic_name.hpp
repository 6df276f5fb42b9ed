// Topic names and filters: levels, wildcards, shared filters, and what a client id may look like. v5 §4.7,
// §4.8.2; v3.1.1 §4.7. Not here: the tree that matches many filters at once, and who may use which topic
// (access/).
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <string_view>

namespace wake::broker {

/// Bytes in a topic name or filter: its length is two bytes on the wire.
inline constexpr std::size_t kMaxTopicBytes = 65'535;
/// Bytes in a client id or user name.
inline constexpr std::size_t kMaxIdBytes = 128;

/// The levels between slashes, in order: "/a//b" has "", "a", "", "b". Never empty: "" has one level, "".
/// A range of string_views into the text; nothing is allocated.
class LevelRange {
 public:
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;
    using pointer = const std::string_view*;
    using reference = std::string_view;

    Iterator() = default;
    explicit Iterator(std::string_view text) : rest_(text), is_end_(false) { cut(); }
    std::string_view operator*() const { return level_; }
    Iterator& operator++() {
      if (is_last_) {
        *this = Iterator();
      } else {
        rest_.remove_prefix(level_.size() + 1);
        cut();
      }
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    /// True for the level before the end.
    bool is_last() const { return is_last_; }
    friend bool operator==(const Iterator& a, const Iterator& b) {
      return a.is_end_ == b.is_end_ && (a.is_end_ || a.level_.data() == b.level_.data());
    }

   private:
    void cut() {
      const std::size_t slash = rest_.find('/');
      is_last_ = slash == std::string_view::npos;
      level_ = rest_.substr(0, slash);
    }
    std::string_view rest_;
    std::string_view level_;
    bool is_last_ = false;
    bool is_end_ = true;
  };

  explicit LevelRange(std::string_view text) : text_(text) {}
  Iterator begin() const { return Iterator(text_); }
  Iterator end() const { return Iterator(); }

 private:
  std::string_view text_;
};

/// Calls `visit(level)` for each level in order.
template <class Visit>
void for_each_level(std::string_view text, Visit&& visit) {
  for (const std::string_view level : LevelRange(text)) visit(level);
}

std::size_t level_count(std::string_view text);

/// 1..65'535 bytes of MQTT's UTF-8 without wildcards and control characters, at most `max_levels` levels: v5
/// [MQTT-3.3.2-2], [MQTT-4.7.3-1..3]. v5 §1.5.4 lets us refuse control characters; in topics we do, like
/// Mosquitto.
bool is_valid_topic_name(std::string_view topic, std::size_t max_levels);

/// As a name, but + may stand for a whole level and # for all the last ones: v5 [MQTT-4.7.1-1],
/// [MQTT-4.7.1-2]. A filter that begins with $share/ must have a share name and a filter behind it: v5
/// [MQTT-4.8.2-1], [MQTT-4.8.2-2]; its levels are those of the filter behind.
bool is_valid_topic_filter(std::string_view filter, std::size_t max_levels);

struct SharedFilter {
  std::string_view share_name;
  std::string_view filter;
  friend bool operator==(const SharedFilter&, const SharedFilter&) = default;
};

/// The two parts of $share/NAME/FILTER; nullopt when it is not shared (or is a $share/ that
/// is_valid_topic_filter refuses).
std::optional<SharedFilter> parse_shared(std::string_view filter);

/// Does the filter (valid, without its $share part) select the topic (valid)? A filter that begins with a
/// wildcard selects no topic that begins with $: v3.1.1 and v5 [MQTT-4.7.2-1].
bool matches(std::string_view filter, std::string_view topic);

/// May this be a client id or user name: 1..128 bytes of UTF-8 without + # / and control characters
/// (U+0000..U+001F, U+007F..U+009F), so that it can be put into a topic filter by %u and %c.
bool is_id_allowed(std::string_view id);

}  // namespace wake::broker
