// Counts, per message, how many receivers still owe an acknowledgement or a commit: "delivered or durable
// before acknowledged" (contract §2.1) is that the publisher's PUBACK waits for the last of them. Not here:
// who owes, and why. The caller counts first, opens with the sum, and calls one_done() as each answers.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>

#include "broker-core/types.hpp"

namespace wake::broker {

/// Waiter is whatever the caller needs to tell the publisher; it is handed back once, when the message is
/// settled. Every operation is O(1). Threads: none.
template <class Waiter>
class Settlements {
 public:
  /// `owed_count` receivers are still to answer. With 0 the waiter comes straight back (the message is
  /// settled) and nothing is stored or allocated. The id must not be open already.
  std::optional<Waiter> open(MessageId message_id, Waiter waiter, std::uint32_t owed_count) {
    if (owed_count == 0) return waiter;
    const bool is_new = open_.try_emplace(message_id, Open{std::move(waiter), owed_count}).second;
    assert(is_new);
    static_cast<void>(is_new);
    return std::nullopt;
  }
  /// More receivers turned out to be owed an open message. False: it is not open (any more).
  bool expect(MessageId message_id, std::uint32_t more_count) {
    const auto found = open_.find(message_id);
    if (found == open_.end()) return false;
    found->second.owed_count += more_count;
    return true;
  }
  /// One receiver has answered. The waiter when it was the last; nullopt when others still owe, or when the
  /// message is not open (settled before, or dropped): a late answer harms nothing.
  std::optional<Waiter> one_done(MessageId message_id) {
    const auto found = open_.find(message_id);
    if (found == open_.end() || --found->second.owed_count > 0) return std::nullopt;
    std::optional<Waiter> settled = std::move(found->second.waiter);
    open_.erase(found);
    return settled;
  }
  /// Nobody waits any more (the publisher was told of a failure). False: it was not open.
  bool drop(MessageId message_id) { return open_.erase(message_id) > 0; }

  /// The waiter of an open message, to look at or amend; null when it is not open.
  Waiter* find(MessageId message_id) {
    const auto found = open_.find(message_id);
    return found == open_.end() ? nullptr : &found->second.waiter;
  }
  /// Messages that are not settled yet.
  std::size_t size() const { return open_.size(); }

 private:
  struct Open {
    Waiter waiter;
    std::uint32_t owed_count;
  };
  std::unordered_map<MessageId, Open> open_;
};

}  // namespace wake::broker
