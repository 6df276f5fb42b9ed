#include "broker-core/topic/subscriber_list.hpp"

namespace wake::broker {
namespace {

std::uint64_t hash_of(const Subscriber& subscriber) {
  return mix_hash((std::uint64_t{subscriber.index} << 32) | subscriber.sub_index,
                  static_cast<std::uint64_t>(subscriber.kind));
}

}  // namespace

SubscriberList::~SubscriberList() {
  if (size_ > 1) delete many_;
}

bool SubscriberList::add(const Subscriber& subscriber, const SubscriptionOptions& options) {
  if (Item* item = find(subscriber)) {
    item->options = options;
    return true;
  }
  push({subscriber, options});
  ++size_;
  if (subscriber.is_local()) ++local_count_;
  return false;
}

bool SubscriberList::remove(const Subscriber& subscriber) {
  Item* item = find(subscriber);
  if (!item) return false;
  if (size_ > 1) take_out(static_cast<std::size_t>(item - many_->items.data()));
  --size_;
  if (subscriber.is_local()) --local_count_;
  return true;
}

SubscriberList::Item* SubscriberList::find(const Subscriber& subscriber) {
  if (size_ == 0) return nullptr;
  if (size_ == 1) return one_.subscriber == subscriber ? &one_ : nullptr;
  std::vector<Item>& items = many_->items;
  if (many_->positions.size() > 0) {
    const auto* position = many_->positions.find(
        hash_of(subscriber), [&](std::uint32_t at) { return items[at].subscriber == subscriber; });
    return position ? &items[*position] : nullptr;
  }
  for (Item& item : items) {
    if (item.subscriber == subscriber) return &item;
  }
  return nullptr;
}

/// size_ is still the number before.
void SubscriberList::push(const Item& item) {
  if (size_ == 0) {
    one_ = item;
    return;
  }
  if (size_ == 1) many_ = new Many{{one_}, {}};
  std::vector<Item>& items = many_->items;
  items.push_back(item);
  if (items.size() < kIndexedFrom) return;
  const std::size_t first_unindexed = items.size() == kIndexedFrom ? 0 : items.size() - 1;
  for (std::size_t at = first_unindexed; at < items.size(); ++at) {
    many_->positions.insert(hash_of(items[at].subscriber), static_cast<std::uint32_t>(at));
  }
}

/// The last item takes the place of the one removed; size_ is still the number before, 2 or more.
void SubscriberList::take_out(std::size_t position) {
  std::vector<Item>& items = many_->items;
  FlatIndex<std::uint32_t>& positions = many_->positions;
  const std::size_t last = items.size() - 1;
  if (positions.size() > 0) {
    positions.erase(hash_of(items[position].subscriber), [&](std::uint32_t at) { return at == position; });
    if (position != last) {
      *positions.find(hash_of(items[last].subscriber), [&](std::uint32_t at) { return at == last; }) =
          static_cast<std::uint32_t>(position);
    }
  }
  items[position] = items[last];
  items.pop_back();
  if (items.size() == 1) {
    const Item left = items[0];
    delete many_;
    one_ = left;
  } else if (items.size() < kIndexedFrom) {
    positions = {};
  } else if (items.size() * 4 < items.capacity()) {
    items.shrink_to_fit();
  }
}

}  // namespace wake::broker
