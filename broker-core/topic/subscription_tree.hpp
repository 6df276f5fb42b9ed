// The index of topic filters: who wants this topic? Asked once per publish.
//
//   exact filters     one flat hash table keyed by the whole filter: one lookup, however many there are
//   with + or #       a tree of levels. A branch is made only where two filters share a prefix; a filter
//   alone below a branch is
//                     a leaf and is compared as text. Children of all branches lie in one flat hash table
//                     keyed by (branch, level), + and # hang on the branch itself
// So a publish costs one lookup for the exact filters, and one or two per live branch of the wildcard tree.
//
// Not here: shared subscriptions (v5 §4.8.2). Their place: a further Subscriber::Kind whose index names a
// group; the group is added under its plain filter, its members are kept beside this index, and whoever gets
// the match picks the member.
//
// Memory: about 140 bytes per exact filter of 50 bytes with one subscriber, of which the text is 50; wildcard
// filters alike, and about 100 per branch. Freed when the last subscriber goes, and so are the branches that
// led only to it. Threads: none; one shard owns one index.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "broker-core/flat_index.hpp"
#include "broker-core/topic/subscriber_list.hpp"

namespace wake::broker {

class SubscriptionTree {
 public:
  /// Filters may have at most this many levels; [limits] max_topic_levels is kept below it by its user.
  static constexpr std::size_t kMaxLevels = 256;

  struct Added {
    bool is_first_local =
        false;              // no Session or Entry had this filter before, and now one has: announce interest
    bool replaced = false;  // the subscriber had it already; its options are the new ones (v5 [MQTT-3.8.4-3])
  };
  struct Removed {
    bool removed = false;         // false: there was no such subscription, nothing changed
    bool was_last_local = false;  // no Session or Entry has this filter any more: withdraw interest
  };

  /// `seed` goes into every hash; the shell draws it, so that clients cannot choose filters that collide.
  explicit SubscriptionTree(std::uint64_t seed = 0) : seed_(seed) {}
  ~SubscriptionTree();
  SubscriptionTree(const SubscriptionTree&) = delete;
  SubscriptionTree& operator=(const SubscriptionTree&) = delete;

  /// `filter` is valid (is_valid_topic_filter), without a $share prefix, of at most kMaxLevels levels. The
  /// text is copied.
  Added add(std::string_view filter, const Subscriber& subscriber, const SubscriptionOptions& options);
  Removed remove(std::string_view filter, const Subscriber& subscriber);

  /// Calls visit(const Subscriber&, const SubscriptionOptions&) once for each subscription whose filter
  /// matches; a subscriber with several matching filters is visited for each. Allocates nothing. `visit` must
  /// not add or remove.
  ///   topic   a valid topic name; with a leading $ no filter that begins with a wildcard matches (v3.1.1
  ///   §4.7.2)
  template <class Visit>
  void match(std::string_view topic, Visit&& visit) const;

  std::size_t filter_count() const { return filter_count_; }
  std::size_t subscription_count() const { return subscription_count_; }
  std::size_t branch_count() const { return branch_count_; }

 private:
  struct Branch;
  struct Filter;
  /// A Branch or a Filter: which, is the lowest bit.
  class Child;
  /// Where the text of a level begins, and the level.
  struct Step {
    const Branch* branch;
    std::size_t offset;
  };

  template <class Visit>
  static void visit_all(const Filter& filter, Visit& visit);
  template <class Visit>
  void match_wildcards(std::string_view topic, Visit& visit) const;
  template <class Visit>
  void follow(Child child, std::string_view topic, std::size_t offset, Visit& visit, Step*& top) const;

  Filter* find(std::string_view filter) const;
  Filter* find_or_make(std::string_view filter);
  Child child_of(const Branch& branch, std::string_view level) const;
  void set_child(Branch& branch, std::string_view level, Child child);
  void hang(Branch& branch, Filter& leaf);
  Branch* split(Filter& leaf);
  void unlink(Filter& filter);
  void prune(Branch* branch);
  Filter* make_filter(std::string_view text);

  std::uint64_t seed_;
  FlatIndex<Filter*> exact_;
  FlatIndex<std::uintptr_t> children_;
  Branch* root_ = nullptr;
  std::size_t filter_count_ = 0;
  std::size_t subscription_count_ = 0;
  std::size_t branch_count_ = 0;
};

}  // namespace wake::broker
