// A message while it is routed: what is known of it, whom it matched, and its packets encoded once. Lives for
// one step of the machine.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "broker-core/packet/publish_template.hpp"
#include "broker-core/session/message.hpp"
#include "broker-core/session/outbound.hpp"

namespace wake::broker {

using RecordPtr = std::shared_ptr<const MessageRecord>;

/// A message being routed: views of the read buffer, or of `record`, which is made the first time somebody
/// must keep it.
struct Routed {
  std::string_view topic;
  Bytes payload;
  std::string_view properties;  // forwardable
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  std::string_view publisher;  // client id
  MessageId id;
  UtcTime at{};
  UtcTime expires_at = kNever;
  bool has_receipt = false;  // its rows are committed with its publisher's packet id (broker_qos2.cpp), or
                             // with the removal of the will that it was
  bool is_provisional = false;
  bool is_full = false;   // a receiver's queue was
  bool is_taken = false;  // a receiver has it, or it is retained
  Waiter waiter;
  MessageId will{};    // that it was; 0: none
  MessageRef message;  // null until kept

  static Routed of(const RecordPtr& record, Waiter waiter);
  /// Makes the record and the shared message, once.
  const MessageRef& keep();
};

/// One session that a publish matched, with its overlapping subscriptions merged.
struct Target {
  static constexpr std::uint32_t kNoEntry = 0xFFFFFFFF;
  std::uint32_t session = 0;
  Qos qos = Qos::AtMostOnce;  // the highest granted
  bool retain_as_published = false;
  std::uint32_t entry = kNoEntry;  // slot of the phone's topic entry
  ShareName share{};               // the group whose turn it is
  std::vector<std::uint32_t> subscription_ids;
};

/// PUBLISH packets at QoS 0 of the message being routed, each encoded when the first receiver needs it.
struct EncodedCache {
  struct Encoded {
    PublishTemplate publish;
    SharedBytes shared;  // the same bytes, once a large one is shared
  };
  std::optional<Encoded> slots[6];  // (3.x | 5 | 5 with wake-id) x retain
};

/// A message of several shards that is on its way to being exactly once (broker_qos2.cpp), and who waits here
/// for it to be final.
struct Provisional {
  bool is_final = false;              // the publisher's shard only: being committed as final
  MessageId will{};                   // the publisher's shard only: whose row goes then
  std::vector<std::uint32_t> shards;  // the publisher's shard only: who else has it
  std::vector<std::uint64_t> sessions;
  std::vector<std::uint64_t> notices;  // sessions too: of phones
};

}  // namespace wake::broker
