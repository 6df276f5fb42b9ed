// Retained messages by topic: what a new subscription is sent. Ordered as the tree of topics is walked,
// parents before children, so that every subtree is one stretch and a filter's matches are found by leaping
// from stretch to stretch.
//
// A walk may be cut into slices: the cursor is a place in the order, not in memory, so whatever is set or
// erased between two slices, an entry present throughout is visited exactly once. Memory: about 100 bytes per
// topic beside its text and T. Threads: none; one shard owns one tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "broker-core/flat_index.hpp"

namespace wake::broker {

/// Bytewise but for '/', which comes before every other byte: "a" < "a/b" < "a/b/c" < "a b" < "b".
struct TreeOrder {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const noexcept;
};

/// What a filter says about one topic, for a walk in tree order.
struct TopicStep {
  enum class Kind : unsigned char { Match, SeekTo, End };  // End: nothing further on can match
  Kind kind = Kind::Match;
  std::string target{};  // SeekTo: nothing before this can match; after the topic in the order
};
/// `filter` and `topic` are valid; a filter that begins with a wildcard passes over topics that begin with $
/// (v3.1.1 §4.7.2).
TopicStep step_of(std::string_view filter, std::string_view topic);

/// T is a small handle (a pointer to the message, say).
template <class T>
class RetainedTree {
 public:
  /// `seed` as SubscriptionTree's: unknown to clients.
  explicit RetainedTree(std::uint64_t seed = 0) : seed_(seed) {}
  RetainedTree(const RetainedTree&) = delete;
  RetainedTree& operator=(const RetainedTree&) = delete;

  std::size_t size() const { return topics_.size(); }

  /// True when the topic is new.
  bool set(std::string_view topic, T value) {
    if (T* found = find(topic)) {
      *found = std::move(value);
      return false;
    }
    index_.insert(hash_text(topic, seed_), topics_.emplace(topic, std::move(value)).first);
    return true;
  }
  /// False when there was none.
  bool erase(std::string_view topic) {
    const std::uint64_t hash = hash_text(topic, seed_);
    const Place* found = index_.find(hash, is_at(topic));
    if (!found) return false;
    const Place place = *found;
    index_.erase(hash, is_at(topic));
    topics_.erase(place);
    return true;
  }
  /// Null when there is none. Valid until the topic is erased.
  T* find(std::string_view topic) { return const_cast<T*>(std::as_const(*this).find(topic)); }
  const T* find(std::string_view topic) const {
    const Place* found = index_.find(hash_text(topic, seed_), is_at(topic));
    return found ? &(*found)->second : nullptr;
  }

  /// Visits a slice of the topics that the filter matches, in tree order, by visit(std::string_view topic,
  /// const T&).
  ///   filter   valid, without a $share prefix
  ///   cursor   empty to begin; then as the last slice left it. Hand it back with the same filter
  ///   limit    how many steps to take, at least 1: a topic visited, or a leap over others
  ///   returns  true when the walk is over
  /// `visit` must not set or erase.
  template <class Visit>
  bool match(std::string_view filter, std::string& cursor, std::size_t limit, Visit&& visit) const {
    auto at = topics_.lower_bound(cursor);
    for (std::size_t step_count = 0; at != topics_.end(); ++step_count) {
      if (step_count == limit) {
        cursor = at->first;
        return false;
      }
      const TopicStep step = step_of(filter, at->first);
      if (step.kind == TopicStep::Kind::End) return true;
      if (step.kind == TopicStep::Kind::SeekTo) {
        at = topics_.lower_bound(step.target);
      } else {
        visit(std::string_view(at->first), at->second);
        ++at;
      }
    }
    return true;
  }

 private:
  using Topics = std::map<std::string, T, TreeOrder>;
  using Place = typename Topics::iterator;

  static auto is_at(std::string_view topic) {
    return [topic](const Place& place) { return place->first == topic; };
  }

  std::uint64_t seed_;
  Topics topics_;
  FlatIndex<Place> index_;  // most messages replace an earlier one: found by hash, not by twenty comparisons
};

}  // namespace wake::broker
