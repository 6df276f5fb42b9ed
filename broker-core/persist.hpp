// What the core asks storage to remember. One Persist is one batch of one shard: it is committed whole, in
// one transaction (with whatever other shards have), and answered by on_committed(batch). Order inside:
// sessions first (see SessionChange), then messages, then who is owed them, then removals. Repeating a batch
// whose outcome is unknown changes nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker-core/types.hpp"

namespace wake::broker {

/// An application message as storage and other shards see it: owned bytes, no packet.
struct MessageRecord {
  MessageId id{};
  std::string topic{};
  std::string payload{};
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  bool is_provisional = false;  // exactly once, on several shards, not final yet: see broker_qos2.cpp
  std::string
      properties{};      // v5 application properties exactly as on the wire, without the length; '' for 3.x
  ClientId publisher{};  // empty for REST
  UtcTime at{};
  UtcTime expires_at = kNever;
};

struct SubscriptionRecord {
  std::string filter{};  // with $share/… in front where shared
  Qos qos = Qos::AtMostOnce;
  bool no_local = false;
  bool retain_as_published = false;
  std::uint8_t retain_handling = 0;
  std::uint32_t subscription_id = 0;  // 0: none
};

/// A session that outlives its connection.
struct SessionRecord {
  ClientId client_id{};
  Principal principal{};
  std::uint32_t expiry_s = 0;  // 0xFFFFFFFF: never
  UtcTime ends_at = kNever;    // kNever while connected or never ending (NULL in the table)
  // Filled when loaded, ignored when stored:
  std::vector<SubscriptionRecord> subscriptions{};
  std::vector<PacketId> receipts{};  // QoS 2 publishes of the client whose PUBREL is still to come
  std::vector<PacketId> started{};   // messages towards it that have their packet id in their row
};

/// The net change to one session in this batch: `purge` deletes what was there (queue and subscriptions too),
/// then `store` writes the row, then the subscription changes apply in order.
struct SessionChange {
  bool purge = false;
  bool store = false;
  SessionRecord row{};
  struct SubscriptionChange {
    bool remove = false;  // else: insert or replace
    SubscriptionRecord subscription{};
  };
  std::vector<SubscriptionChange> subscriptions{};
};

struct QueueRow {
  ClientId client_id{};
  MessageId message_id{};
  Qos qos = Qos::AtLeastOnce;
  bool retain = false;
  std::uint32_t subscription_id = 0;
  PacketId packet_id{};  // 0: not sent yet
};
struct QueueKey {
  ClientId client_id{};
  MessageId message_id{};
};
/// A row of the queue: the packet id is the message's from before its first PUBLISH until its PUBACK or
/// PUBCOMP, whatever is restarted; `is_received` once the client's PUBREC came (QoS 2). Gone with the row.
struct QueueStart {
  ClientId client_id{};
  MessageId message_id{};
  PacketId packet_id{};
  bool is_received = false;
};
/// A queue beyond its limit: of its rows up to `up_to` the newest `keep` remain, and what left at QoS 2.
struct QueueTrim {
  ClientId client_id{};
  MessageId up_to{};
  std::uint32_t keep = 0;
};
/// The packet id of a QoS 2 publish that a durable session made: kept from its PUBREC to its PUBREL.
struct Receipt {
  ClientId client_id{};
  PacketId packet_id{};
  bool remove = false;
};
/// A session that did not take the message because its queue was full: for the trace.
struct Refusal {
  ClientId client_id{};
  MessageId message_id{};
  std::string topic{};
  UtcTime at{};
};
struct InboxRow {
  UserId user_id{};
  MessageId message_id{};
  EntryId entry_id{};
  UtcTime expires_at = kNever;
};
/// One notification to be: written claimed by this node, so that nobody else takes it while it is in our
/// memory.
struct OutboxRow {
  MessageId message_id{};
  PhoneId phone_id{};
  EntryId entry_id{};
  UtcTime due_at{};  // not to be sent before
  UtcTime expires_at{};
  std::string reason{};  // the decision's Reason, as text
};
/// The owner of a phone has switched the entry of this filter by SUBSCRIBE or UNSUBSCRIBE.
struct EntrySwitch {
  UserId user_id{};
  std::string filter{};
  bool is_subscribed = true;
};
/// Still pending: becomes cancelled with this reason. Already sent: nothing.
struct OutboxCancel {
  MessageId message_id{};
  PhoneId phone_id{};
  std::string reason{};
};
/// A retained message replaces an older one (by message id) of its topic; `clear` removes it.
struct RetainedChange {
  bool clear = false;
  MessageRecord message{};  // topic and id always; the rest when not clear
};

/// A client's will (v5 §3.1.2.5), from its CONNECT on. A row of its own, whether or not the session has one,
/// because what must be told when the gateway dies is most of all that a client of a clean session is gone.
struct WillRecord {
  MessageId id{};     // the row's; the message that it becomes gets its own when it is published
  unsigned node = 0;  // whose client it is
  ClientId client_id{};
  Principal principal{};
  MessageRecord message{};  // without id and times
  std::uint32_t delay_s = 0;
  std::optional<std::uint32_t> message_expiry_s{};
  UtcTime due_at = kNever;  // kNever while the client is connected (NULL in the table)
};
/// The client is gone and its will waits for its delay.
struct WillDue {
  MessageId id{};
  UtcTime due_at{};
};

struct Persist {
  std::uint64_t batch = 0;                          // the shard's own count, answered by on_committed
  std::map<std::string, SessionChange> sessions{};  // by client id
  std::vector<MessageRecord> messages{};
  std::vector<QueueRow> queue{};
  std::vector<InboxRow> inbox{};
  std::vector<OutboxRow> outbox{};
  std::vector<QueueStart> started{};
  std::vector<Receipt> receipts{};
  std::vector<MessageId> provisional{};  // of `messages`: void after a restart unless finalized by then
  std::vector<MessageId> finalized{};
  std::vector<QueueKey> acknowledged{};  // session_queue rows to remove
  std::vector<QueueTrim> trims{};
  std::vector<OutboxCancel> cancelled{};
  std::vector<Refusal> refused{};
  std::vector<RetainedChange> retained{};  // in order
  std::vector<WillRecord> wills{};
  std::vector<WillDue> wills_due{};
  std::vector<MessageId> wills_gone{};  // published, with what else is in here, or not to be
  std::vector<AlertId> alerts_told{};   // whose message is in here: never told again
  std::vector<EntrySwitch> switched{};  // in order

  bool is_empty() const {
    return sessions.empty() && messages.empty() && queue.empty() && started.empty() && receipts.empty() &&
           finalized.empty() && inbox.empty() && outbox.empty() && acknowledged.empty() && trims.empty() &&
           cancelled.empty() && refused.empty() && retained.empty() && wills.empty() && wills_due.empty() &&
           wills_gone.empty() && alerts_told.empty() && switched.empty();
  }
};

/// One row of a session's queue, as storage answers it.
struct QueuedMessage {
  MessageRecord message{};
  Qos qos = Qos::AtLeastOnce;
  bool retain = false;
  std::uint32_t subscription_id = 0;
  PacketId packet_id{};  // 0: none is written down (broker_packet_ids.cpp)
  bool is_received = false;
};

/// The oldest rows of a session's queue but for those asked to be left out, in order of message id.
struct QueuePage {
  std::vector<QueuedMessage> messages;
  bool is_last = true;  // there were no more
};

}  // namespace wake::broker
