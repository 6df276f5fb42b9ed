// Who subscribed one filter, and how. One subscriber lies inline (nearly every filter has one); more go to
// the heap, and beyond kIndexedFrom they are indexed, so that adding or removing one of a hundred thousand
// stays O(1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "broker-core/flat_index.hpp"
#include "broker-core/types.hpp"

namespace wake::broker {

/// Whom a match is for. What the numbers mean is the caller's business; the index only compares them.
struct Subscriber {
  enum class Kind : std::uint8_t { Session, Entry, Shard, Group };
  Kind kind = Kind::Session;
  std::uint32_t index = 0;      // Session, Entry: slot of the session on this shard; Shard, Group: its number
  std::uint32_t sub_index = 0;  // Entry: slot of the topic entry within the phone
  friend bool operator==(const Subscriber&, const Subscriber&) = default;
  /// Interest of another shard is not announced to other shards again, and groups are known everywhere.
  bool is_local() const { return kind == Kind::Session || kind == Kind::Entry; }
};

struct SubscriptionOptions {
  Qos qos = Qos::AtMostOnce;
  bool no_local = false;
  bool retain_as_published = false;
  std::uint32_t subscription_id = 0;  // v5 §3.8.2.1.2; 0: none
  friend bool operator==(const SubscriptionOptions&, const SubscriptionOptions&) = default;
};
static_assert(sizeof(SubscriptionOptions) <= 8);

class SubscriberList {
 public:
  struct Item {
    Subscriber subscriber;
    SubscriptionOptions options;
  };

  SubscriberList() = default;
  ~SubscriberList();
  SubscriberList(const SubscriberList&) = delete;
  SubscriberList& operator=(const SubscriberList&) = delete;

  std::uint32_t size() const { return size_; }
  std::uint32_t local_count() const { return local_count_; }
  /// In no order that means anything. Valid until the next add or remove.
  std::span<const Item> items() const { return {size_ > 1 ? many_->items.data() : &one_, size_}; }

  /// True when the subscriber was there and only its options changed.
  bool add(const Subscriber& subscriber, const SubscriptionOptions& options);
  /// False when it was not there.
  bool remove(const Subscriber& subscriber);

 private:
  struct Many {
    std::vector<Item> items;
    FlatIndex<std::uint32_t> positions;  // of items; empty until kIndexedFrom
  };
  static constexpr std::size_t kIndexedFrom = 32;

  Item* find(const Subscriber& subscriber);
  void push(const Item& item);
  void take_out(std::size_t position);

  std::uint32_t size_ = 0;
  std::uint32_t local_count_ = 0;
  union {
    Item one_{};  // size_ <= 1
    Many* many_;  // else
  };
};

}  // namespace wake::broker
