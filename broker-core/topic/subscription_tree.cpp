// Offsets into a text point at the beginning of a level; one past the end plus one (size() + 1, behind an
// imagined slash) says that the text has no further level.
#include "broker-core/topic/subscription_tree.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <stdexcept>

namespace wake::broker {
namespace {

bool has_level(std::string_view text, std::size_t offset) { return offset <= text.size(); }

std::string_view level_at(std::string_view text, std::size_t offset) {
  const auto* begin = text.data() + offset;
  const std::size_t left = text.size() - offset;
  const void* slash = left == 0 ? nullptr : std::memchr(begin, '/', left);
  return {begin, slash ? static_cast<std::size_t>(static_cast<const char*>(slash) - begin) : left};
}

/// Does the rest of a filter match the rest of a topic? "#" matches the parent too: v3.1.1 §4.7.1.2.
bool matches_rest(std::string_view filter, std::size_t filter_offset, std::string_view topic,
                  std::size_t topic_offset) {
  while (has_level(filter, filter_offset)) {
    const std::string_view wanted = level_at(filter, filter_offset);
    if (wanted == "#") return true;
    if (!has_level(topic, topic_offset)) return false;
    const std::string_view level = level_at(topic, topic_offset);
    if (wanted != "+" && wanted != level) return false;
    filter_offset += wanted.size() + 1;
    topic_offset += level.size() + 1;
  }
  return !has_level(topic, topic_offset);
}

bool is_wildcard(std::string_view filter) { return filter.find_first_of("+#") != std::string_view::npos; }

/// A T with a text directly behind it in the same block: one cache miss for both.
template <class T>
T* make_with_text(std::string_view text) {
  auto* made = new (::operator new(sizeof(T) + text.size())) T;
  made->text_bytes = static_cast<std::uint32_t>(text.size());
  if (!text.empty()) std::memcpy(reinterpret_cast<char*>(made) + sizeof(T), text.data(), text.size());
  return made;
}
template <class T>
void destroy(T* made) {
  made->~T();
  ::operator delete(made);
}
template <class T>
std::string_view text_of(const T& made) {
  return {reinterpret_cast<const char*>(&made) + sizeof(T), made.text_bytes};
}

}  // namespace

/// A whole filter and its subscribers; an exact one, or a leaf of the wildcard tree. Its text lies behind it.
struct SubscriptionTree::Filter {
  Branch* parent = nullptr;  // null: exact
  SubscriberList subscribers;
  std::uint32_t text_bytes = 0;
  std::uint32_t offset = 0;  // of the first level that is not its parent's path
};

/// A prefix that wildcard filters share. The text behind it is its own level only.
struct SubscriptionTree::Branch {
  Branch* parent = nullptr;
  std::uintptr_t plus = 0;          // a Child, or 0
  Filter* here = nullptr;           // the filter that ends with this level
  Filter* below = nullptr;          // the filter that has # after this level
  std::uint32_t literal_count = 0;  // children in children_
  std::uint32_t text_bytes = 0;

  bool is_bare() const { return plus == 0 && !here && !below && literal_count == 0; }
};

/// A Branch or a Filter, or nothing; which, is the lowest bit.
class SubscriptionTree::Child {
 public:
  Child() = default;
  explicit Child(std::uintptr_t bits) : bits_(bits) {}
  explicit Child(Branch& branch) : bits_(reinterpret_cast<std::uintptr_t>(&branch)) {}
  explicit Child(Filter& leaf) : bits_(reinterpret_cast<std::uintptr_t>(&leaf) | 1) {}

  std::uintptr_t bits() const { return bits_; }
  explicit operator bool() const { return bits_ != 0; }
  Filter* leaf() const { return bits_ & 1 ? reinterpret_cast<Filter*>(bits_ ^ 1) : nullptr; }
  Branch* branch() const { return bits_ & 1 ? nullptr : reinterpret_cast<Branch*>(bits_); }
  const Branch* parent() const { return leaf() ? leaf()->parent : branch()->parent; }
  std::string_view level() const {
    return leaf() ? level_at(text_of(*leaf()), leaf()->offset) : text_of(*branch());
  }

 private:
  std::uintptr_t bits_ = 0;
};

SubscriptionTree::~SubscriptionTree() {
  exact_.for_each([](Filter* filter) { destroy(filter); });
  const auto destroy_child = [](auto&& self, Child child) -> void {
    if (!child) return;
    if (Filter* leaf = child.leaf()) return destroy(leaf);
    Branch* branch = child.branch();
    for (Filter* filter : {branch->here, branch->below}) {
      if (filter) destroy(filter);
    }
    self(self, Child(branch->plus));  // at most kMaxLevels deep: literal children are not followed from here
    destroy(branch);
  };
  children_.for_each([&](std::uintptr_t bits) { destroy_child(destroy_child, Child(bits)); });
  destroy_child(destroy_child, root_ ? Child(*root_) : Child());
}

SubscriptionTree::Added SubscriptionTree::add(std::string_view filter, const Subscriber& subscriber,
                                              const SubscriptionOptions& options) {
  SubscriberList& subscribers = find_or_make(filter).subscribers;
  const std::uint32_t local_before = subscribers.local_count();
  const bool replaced = subscribers.add(subscriber, options);
  if (!replaced) ++subscription_count_;
  return {.is_first_local = local_before == 0 && subscribers.local_count() == 1, .replaced = replaced};
}

SubscriptionTree::Removed SubscriptionTree::remove(std::string_view filter, const Subscriber& subscriber) {
  Filter* found = find(filter);
  if (!found || !found->subscribers.remove(subscriber)) return {};
  --subscription_count_;
  const bool was_last_local = subscriber.is_local() && found->subscribers.local_count() == 0;
  if (found->subscribers.size() == 0) {
    unlink(*found);
    destroy(found);
    --filter_count_;
  }
  return {.removed = true, .was_last_local = was_last_local};
}

void SubscriptionTree::match_lists(std::string_view topic, Sink sink) const {
  const std::uint64_t hash = hash_text(topic, seed_);
  exact_.prefetch(hash);
  if (root_) match_wildcards(topic, sink);
  Filter* const* exact = exact_.find(hash, [&](const Filter* filter) { return text_of(*filter) == topic; });
  if (exact) sink((*exact)->subscribers);
}

/// Depth first. At each level at most one sibling is put aside, so the places put aside are at most as many
/// as levels.
void SubscriptionTree::match_wildcards(std::string_view topic, Sink sink) const {
  struct Place {
    const Branch* branch;
    std::size_t offset;
  };
  std::array<Place, kMaxLevels + 2> aside;
  std::size_t aside_count = 0;
  aside[aside_count++] = {root_, 0};
  const bool is_hidden = topic.starts_with('$');

  while (aside_count > 0) {
    const Place place = aside[--aside_count];
    const Branch* const branch = place.branch;
    const std::size_t offset = place.offset;
    const bool may_use_wildcard = !(is_hidden && branch == root_);
    if (branch->below && may_use_wildcard) sink(branch->below->subscribers);
    if (!has_level(topic, offset)) {
      if (branch->here) sink(branch->here->subscribers);
      continue;
    }
    const std::string_view level = level_at(topic, offset);
    const auto follow = [&](Child child) {
      if (const Filter* leaf = child.leaf()) {
        if (matches_rest(text_of(*leaf), leaf->offset, topic, offset)) sink(leaf->subscribers);
      } else if (child) {
        aside[aside_count++] = {child.branch(), offset + level.size() + 1};
      }
    };
    if (may_use_wildcard) follow(Child(branch->plus));
    if (branch->literal_count > 0) follow(child_of(*branch, level));
  }
}

std::uint64_t SubscriptionTree::edge_hash(const Branch& branch, std::string_view level) const {
  return mix_hash(hash_text(level, seed_), reinterpret_cast<std::uintptr_t>(&branch));
}

/// `level` is literal.
SubscriptionTree::Child SubscriptionTree::child_of(const Branch& branch, std::string_view level) const {
  const std::uintptr_t* bits = children_.find(edge_hash(branch, level), [&](std::uintptr_t candidate) {
    const Child child(candidate);
    return child.parent() == &branch && child.level() == level;
  });
  return bits ? Child(*bits) : Child();
}

/// `level` is literal or +; a child that is there is replaced.
void SubscriptionTree::set_child(Branch& branch, std::string_view level, Child child) {
  if (level == "+") {
    branch.plus = child.bits();
    return;
  }
  clear_child(branch, level);
  children_.insert(edge_hash(branch, level), child.bits());
  ++branch.literal_count;
}

void SubscriptionTree::clear_child(Branch& branch, std::string_view level) {
  if (level == "+") {
    branch.plus = 0;
    return;
  }
  const bool erased = children_.erase(edge_hash(branch, level), [&](std::uintptr_t candidate) {
    const Child child(candidate);
    return child.parent() == &branch && child.level() == level;
  });
  if (erased) --branch.literal_count;
}

/// Hangs a leaf below `branch`; its next level begins at `offset`.
void SubscriptionTree::hang(Branch& branch, std::size_t offset, Filter& leaf) {
  const std::string_view text = text_of(leaf);
  leaf.parent = &branch;
  leaf.offset = static_cast<std::uint32_t>(offset);
  if (!has_level(text, offset)) {
    branch.here = &leaf;
  } else if (level_at(text, offset) == "#") {
    branch.below = &leaf;
  } else {
    set_child(branch, level_at(text, offset), Child(leaf));
  }
}

/// Another filter shares the leaf's level: the level becomes a branch, the leaf moves below it.
SubscriptionTree::Branch& SubscriptionTree::split(Filter& leaf) {
  const std::string_view level = level_at(text_of(leaf), leaf.offset);
  Branch& branch = *make_with_text<Branch>(level);
  ++branch_count_;
  branch.parent = leaf.parent;
  set_child(*leaf.parent, level, Child(branch));
  hang(branch, leaf.offset + level.size() + 1, leaf);
  return branch;
}

SubscriptionTree::Filter* SubscriptionTree::find(std::string_view filter) const {
  if (!is_wildcard(filter)) {
    Filter* const* exact = exact_.find(
        hash_text(filter, seed_), [&](const Filter* candidate) { return text_of(*candidate) == filter; });
    return exact ? *exact : nullptr;
  }
  const Branch* branch = root_;
  for (std::size_t offset = 0; branch;) {
    if (!has_level(filter, offset)) return branch->here;
    const std::string_view level = level_at(filter, offset);
    if (level == "#") return branch->below;
    const Child child = level == "+" ? Child(branch->plus) : child_of(*branch, level);
    if (!child) return nullptr;
    if (Filter* leaf = child.leaf()) return text_of(*leaf) == filter ? leaf : nullptr;
    branch = child.branch();
    offset += level.size() + 1;
  }
  return nullptr;
}

SubscriptionTree::Filter& SubscriptionTree::find_or_make(std::string_view filter) {
  if (Filter* found = find(filter)) return *found;
  if (std::count(filter.begin(), filter.end(), '/') >= static_cast<std::ptrdiff_t>(kMaxLevels)) {
    throw std::length_error("a topic filter of more than SubscriptionTree::kMaxLevels levels");
  }
  Filter& made = *make_with_text<Filter>(filter);
  ++filter_count_;
  if (is_wildcard(filter)) {
    hang_new(made);
  } else {
    exact_.insert(hash_text(filter, seed_), &made);
  }
  return made;
}

/// Walks the new filter's levels as far as others share them, splitting a leaf in the way.
void SubscriptionTree::hang_new(Filter& made) {
  if (!root_) {
    root_ = make_with_text<Branch>({});
    ++branch_count_;
  }
  const std::string_view text = text_of(made);
  Branch* branch = root_;
  std::size_t offset = 0;
  while (has_level(text, offset)) {
    const std::string_view level = level_at(text, offset);
    if (level == "#") break;
    const Child child = level == "+" ? Child(branch->plus) : child_of(*branch, level);
    if (!child) break;
    branch = child.leaf() ? &split(*child.leaf()) : child.branch();
    offset += level.size() + 1;
  }
  hang(*branch, offset, made);
}

void SubscriptionTree::unlink(Filter& filter) {
  const std::string_view text = text_of(filter);
  Branch* const branch = filter.parent;
  if (!branch) {
    exact_.erase(hash_text(text, seed_), [&](const Filter* candidate) { return candidate == &filter; });
    return;
  }
  if (branch->here == &filter) {
    branch->here = nullptr;
  } else if (branch->below == &filter) {
    branch->below = nullptr;
  } else {
    clear_child(*branch, level_at(text, filter.offset));
  }
  prune(branch);
}

/// Removes the branch if nothing hangs on it, and then its parents likewise.
void SubscriptionTree::prune(Branch* branch) {
  while (branch && branch->is_bare()) {
    Branch* const parent = branch->parent;
    if (parent) {
      clear_child(*parent, text_of(*branch));
    } else {
      root_ = nullptr;
    }
    destroy(branch);
    --branch_count_;
    branch = parent;
  }
}

}  // namespace wake::broker
