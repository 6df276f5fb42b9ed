// An application message in memory, shared by all its deliveries on this shard, and who waits for it to be
// settled. A MessageRef is a plain (not atomic) reference: it never leaves the shard's thread. The record
// inside may.
#pragma once

#include <memory>
#include <utility>

#include "broker-core/effects.hpp"
#include "broker-core/session/outbound.hpp"

namespace wake::broker {

/// Who is told when every receiver that is owed the message has acknowledged it or has it committed (contract
/// §2.1).
struct Waiter {
  enum class Kind : std::uint8_t { None, Publisher, Shard, Backend, Leaver, Will };
  Kind kind = Kind::None;
  ConnectionId connection;    // Publisher
  std::uint64_t number = 0;   // Publisher: its place among the connection's acknowledgements; Shard: which;
                              // Backend: ticket; Leaver: session
  bool is_refused = false;    // storage refused a row, or the message may not be retained
  bool is_full = false;       // some receiver's queue was full
  bool is_taken = false;      // some receiver has it, or it is retained
  std::uint64_t session = 0;  // Publisher at QoS 2: its session's key, and the packet id
  PacketId packet_id{};

  /// A full queue concerns its owner: the publisher is refused when nobody else took the message either.
  bool is_refusal() const { return is_refused || (is_full && !is_taken); }
  /// Waits where the message came into being: what several shards have of it becomes final there.
  bool is_of_origin() const { return kind == Kind::Publisher || kind == Kind::Will || kind == Kind::Backend; }
};

struct Message {
  std::shared_ptr<const MessageRecord> record;
  Waiter waiter;
  bool is_open = false;            // in Settlements: somebody is owed it
  std::uint64_t stored_batch = 0;  // the batch that carries its row; 0: none yet
  std::weak_ptr<SharedBytes::element_type>
      large_payload{};           // what its receivers' Outbounds share, if any has it
  std::uint32_t references = 0;  // MessageRef's own
};

class MessageRef {
 public:
  MessageRef() = default;
  explicit MessageRef(Message* message) : message_(message) { ++message_->references; }
  MessageRef(const MessageRef& other) : message_(other.message_) {
    if (message_) ++message_->references;
  }
  MessageRef(MessageRef&& other) noexcept : message_(std::exchange(other.message_, nullptr)) {}
  MessageRef& operator=(MessageRef other) noexcept {
    std::swap(message_, other.message_);
    return *this;
  }
  ~MessageRef() {
    if (message_ && --message_->references == 0) delete message_;
  }
  Message* operator->() const { return message_; }
  Message& operator*() const { return *message_; }
  explicit operator bool() const { return message_ != nullptr; }

 private:
  Message* message_ = nullptr;
};

}  // namespace wake::broker
