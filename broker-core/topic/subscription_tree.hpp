// The index of topic filters: who wants this topic? Asked once per publish.
//
//   exact filters     one flat hash table keyed by the whole filter: one lookup, however many there are
//   with + or #       a tree of levels. A branch is made only where two filters share a prefix; a filter
//   alone below a branch is
//                     a leaf and is compared as text. Children of all branches lie in one flat hash table
//                     keyed by (branch, level), + and # hang on the branch itself
// So a publish costs one lookup for the exact filters, and one or two per live branch of the wildcard tree.
//
// A shared subscription (v5 §4.8.2) is a Subscriber::Kind::Group under its plain filter; its members are in
// share_groups.hpp, and whoever gets the match picks one.
//
// Memory: about 140 bytes per exact filter of 50 bytes with one subscriber, of which the text is 50; wildcard
// filters alike, and about 100 per branch. Freed when the last subscriber goes, and so are the branches that
// led only to it. Threads: none; one shard owns one index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "broker-core/flat_index.hpp"
#include "broker-core/topic/subscriber_list.hpp"

namespace wake::broker {

class SubscriptionTree {
 public:
  /// Bounds the walk: filters may have at most this many levels, so [limits] max_topic_levels must not be
  /// higher.
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
  void match(std::string_view topic, Visit&& visit) const {
    const auto visit_list = [&visit](const SubscriberList& list) {
      for (const SubscriberList::Item& item : list.items()) visit(item.subscriber, item.options);
    };
    match_lists(topic, {&visit_list, [](const void* context, const SubscriberList& list) {
                          (*static_cast<decltype(&visit_list)>(context))(list);
                        }});
  }

  std::size_t filter_count() const { return filter_count_; }
  std::size_t subscription_count() const { return subscription_count_; }
  std::size_t branch_count() const { return branch_count_; }

 private:
  struct Branch;
  struct Filter;
  class Child;
  /// Called once per matching filter: one indirect call, and the walk stays out of the header.
  struct Sink {
    const void* context;
    void (*call)(const void* context, const SubscriberList& list);
    void operator()(const SubscriberList& list) const { call(context, list); }
  };

  void match_lists(std::string_view topic, Sink sink) const;
  void match_wildcards(std::string_view topic, Sink sink) const;

  std::uint64_t edge_hash(const Branch& branch, std::string_view level) const;
  Child child_of(const Branch& branch, std::string_view level) const;
  void set_child(Branch& branch, std::string_view level, Child child);
  void clear_child(Branch& branch, std::string_view level);
  void hang(Branch& branch, std::size_t offset, Filter& leaf);
  Branch& split(Filter& leaf);
  Filter* find(std::string_view filter) const;
  Filter& find_or_make(std::string_view filter);
  void hang_new(Filter& made);
  void unlink(Filter& filter);
  void prune(Branch* branch);

  std::uint64_t seed_;
  FlatIndex<Filter*> exact_;
  FlatIndex<std::uintptr_t> children_;
  Branch* root_ = nullptr;  // null while there is no wildcard filter
  std::size_t filter_count_ = 0;
  std::size_t subscription_count_ = 0;
  std::size_t branch_count_ = 0;
};

}  // namespace wake::broker
