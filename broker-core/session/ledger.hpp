// What this shard asks storage to remember, and who waits for it. Rows gather in one open Persist; when the
// shell takes it, the waiters stay here under its batch number until storage answers. Batches are answered in
// order.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker-core/session/message.hpp"

namespace wake::broker {

class Ledger {
 public:
  /// Those who wait for one batch.
  struct Waiting {
    std::uint64_t batch = 0;
    std::size_t bytes = 0;
    std::vector<MessageId> owed;  // one entry per row that a settlement waits for
    std::vector<std::pair<std::uint64_t, MessageId>> notices;  // session key, message: rows of the outbox
    std::vector<std::pair<ConnectionId, std::vector<std::byte>>>
        replies;  // packets to send once it is committed
    std::vector<std::pair<std::uint64_t, std::uint64_t>>
        started;  // session key, number of a delivery: Persist::started
    std::vector<std::pair<std::uint64_t, PacketId>> released;  // session key, packet id: receipts removed
    std::vector<std::uint64_t> catching_up;  // sessions (key) whose last page may be read then
    std::vector<std::pair<std::uint64_t, std::string>>
        retained_jobs;                                     // session key, filter: start after the SUBACK
    std::vector<ConnectionId> accepted;                    // whose CONNACK waits for their will
    std::vector<std::pair<UserId, std::string>> switched;  // filter: Persist::switched
  };

  Persist& open() { return open_; }
  Waiting& waiting() { return waiting_; }
  std::uint64_t batch() const { return waiting_.batch; }
  std::uint64_t committed() const { return committed_; }
  /// Nothing of this session is on its way to storage.
  bool is_committed(std::uint64_t batch) const { return batch <= committed_; }

  /// Puts the message's row into the open batch unless an earlier one carries it.
  void store_message(Message& message) {
    if (message.stored_batch != 0) return;
    message.stored_batch = batch();
    open_.messages.push_back(*message.record);
    if (message.record->is_provisional) open_.provisional.push_back(message.record->id);
    waiting_.bytes += message.record->payload.size() + message.record->topic.size() + 128;
  }
  /// Puts the will's row into the open batch.
  void store_will(const WillRecord& will) {
    open_.wills.push_back(will);
    waiting_.bytes +=
        will.message.payload.size() + will.message.topic.size() + will.message.properties.size() + 128;
  }
  /// The change of a session in the open batch, made if there is none.
  SessionChange& session(const ClientId& client_id) { return open_.sessions[client_id.value]; }

  /// The waiters of a batch that is not committed yet.
  Waiting& waiting_for(std::uint64_t batch) {
    for (Waiting& taken : taken_) {
      if (taken.batch == batch) return taken;
    }
    return waiting_;
  }

  bool has_open() const { return !open_.is_empty(); }
  std::size_t bytes_waiting() const { return bytes_waiting_ + waiting_.bytes; }

  Persist take() {
    Persist taken = std::exchange(open_, {});
    taken.batch = waiting_.batch;
    bytes_waiting_ += waiting_.bytes;
    const std::uint64_t next = waiting_.batch + 1;
    taken_.push_back(std::exchange(waiting_, {}));
    waiting_.batch = next;
    return taken;
  }
  /// The waiters of a batch that storage answered; nullopt when it is not the oldest one out (a repeated
  /// answer).
  std::optional<Waiting> answered(std::uint64_t batch) {
    if (taken_.empty() || taken_.front().batch != batch) return std::nullopt;
    Waiting waiting = std::move(taken_.front());
    taken_.pop_front();
    bytes_waiting_ -= waiting.bytes;
    committed_ = batch;
    return waiting;
  }

 private:
  Persist open_;
  Waiting waiting_{.batch = 1,
                   .bytes = 0,
                   .owed = {},
                   .notices = {},
                   .replies = {},
                   .started = {},
                   .released = {},
                   .catching_up = {},
                   .retained_jobs = {},
                   .accepted = {},
                   .switched = {}};
  std::deque<Waiting> taken_;
  std::uint64_t committed_ = 0;
  std::size_t bytes_waiting_ = 0;
};

}  // namespace wake::broker
