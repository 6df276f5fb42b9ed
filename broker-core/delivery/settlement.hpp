// Counts, per message, how many receivers still owe an acknowledgement or a commit: "delivered or durable
// before acknowledged" (contract §2.1) is that the publisher's PUBACK waits for the last of them. Not here:
// who owes, and why. The caller counts first, opens with the sum, and calls one_done() as each answers.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "broker-core/flat_index.hpp"
#include "broker-core/types.hpp"

namespace wake::broker {

/// Waiter is whatever the caller needs to tell the publisher; it is handed back once, when the message is
/// settled. Every operation is O(1), and no message takes memory of its own.
/// Threads: none.
template <class Waiter>
class Settlements {
 public:
  /// `owed_count` receivers are still to answer. With 0 the waiter comes straight back (the message is
  /// settled) and nothing is stored or allocated. The id must not be open already.
  std::optional<Waiter> open(MessageId message_id, Waiter waiter, std::uint32_t owed_count) {
    if (owed_count == 0) return waiter;
    assert(!position_of(message_id));
    auto position = static_cast<std::uint32_t>(open_.size());
    if (free_.empty()) {
      open_.emplace_back();
    } else {
      position = free_.back();
      free_.pop_back();
    }
    open_[position] = {message_id, std::move(waiter), owed_count};
    index_.insert(hash_of(message_id), position);
    return std::nullopt;
  }
  /// More receivers turned out to be owed an open message. False: it is not open (any more).
  bool expect(MessageId message_id, std::uint32_t more_count) {
    const std::uint32_t* const position = position_of(message_id);
    if (position == nullptr) return false;
    open_[*position].owed_count += more_count;
    return true;
  }
  /// One receiver has answered. The waiter when it was the last; nullopt when others still owe, or when the
  /// message is not open (settled before, or dropped): a late answer harms nothing.
  std::optional<Waiter> one_done(MessageId message_id) {
    const std::uint32_t* const position = position_of(message_id);
    if (position == nullptr || --open_[*position].owed_count > 0) return std::nullopt;
    std::optional<Waiter> settled = std::move(open_[*position].waiter);
    remove(message_id);
    return settled;
  }
  /// Nobody waits any more (the publisher was told of a failure). False: it was not open.
  bool drop(MessageId message_id) {
    if (position_of(message_id) == nullptr) return false;
    remove(message_id);
    return true;
  }

  /// The waiter of an open message, to look at or amend; null when it is not open. Valid until the next
  /// open().
  Waiter* find(MessageId message_id) {
    const std::uint32_t* const position = position_of(message_id);
    return position == nullptr ? nullptr : &open_[*position].waiter;
  }
  /// Messages that are not settled yet.
  std::size_t size() const { return index_.size(); }

 private:
  struct Open {
    MessageId message_id{};
    Waiter waiter{};
    std::uint32_t owed_count = 0;
  };
  static std::uint64_t hash_of(MessageId id) { return mix_hash(static_cast<std::uint64_t>(id.value), 0); }
  const std::uint32_t* position_of(MessageId id) const {
    return index_.find(hash_of(id), [&](std::uint32_t position) { return open_[position].message_id == id; });
  }
  void remove(MessageId id) {
    const std::uint32_t position = *position_of(id);
    index_.erase(hash_of(id), [&](std::uint32_t candidate) { return candidate == position; });
    free_.push_back(position);
    if (index_.size() > 0 || open_.size() <= kKept) return;
    std::vector<Open>().swap(open_);  // after a flood
    std::vector<std::uint32_t>().swap(free_);
  }

  static constexpr std::size_t kKept = 4096;
  std::vector<Open> open_;           // by position
  std::vector<std::uint32_t> free_;  // positions
  FlatIndex<std::uint32_t> index_;   // positions
};

}  // namespace wake::broker
