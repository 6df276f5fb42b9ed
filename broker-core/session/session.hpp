// What survives a disconnect: subscriptions, what is owed to the client, and (for a phone) what may still
// have to ring.
//
// Deliveries are numbered; a packet id is computed from the number, so finding one is arithmetic:
//   deliveries[0 .. sent)  are on their way or done;  deliveries[sent ..)  wait for a slot.
// A message towards a durable session keeps its packet id through a restart, where numbers begin anew
// (broker_packet_ids.cpp): `restored` knows the ids that are not computed.
// Storage may hold more than memory does (`has_stored_tail`): then new messages go to storage only, and pages
// are read as memory runs dry, so order is kept. `fresh` is the bridge back: see on_queue_page in
// broker_pages.cpp.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker-core/access/grants.hpp"
#include "broker-core/delivery/decide.hpp"
#include "broker-core/delivery/records.hpp"
#include "broker-core/session/connection.hpp"

namespace wake::broker {

/// One message on its way to one session.
struct Delivery {
  /// Received: QoS 2, PUBREC came, PUBREL is out.
  /// Held: for a phone in the background, sent when it returns (contract §2.2).
  enum class Step : std::uint8_t { Queued, Sent, Received, Held, Done };
  MessageRef message;
  Qos qos = Qos::AtLeastOnce;
  Step step = Step::Queued;
  bool is_owed = false;    // its acknowledgement, or its row, is waited for by the message's settlement
  bool is_stored = false;  // has a row in session_queue, committed or in a batch under way
  bool retain = false;
  bool rings_always = false;     // its entry's mode is `always`: an immediate ack does not cancel the push
  bool may_have_notice = false;  // in the outbox: one was decided on, or its row is of before
  bool is_again = false;         // sent on an earlier connection: it goes out with DUP
  bool is_doubtful = false;     // QoS 1, of before a restart: nobody knows whether it was sent; with DUP, too
  bool is_committed = false;    // durable: its packet id outlives us; Received: so does its PUBREC
  std::uint16_t packet_id = 0;  // durable: the one it keeps; 0: computed from its number
  bool has_more_ids =
      false;  // further subscriptions that have an identifier match: see subscription_ids_of()
  std::uint32_t subscription_id = 0;
  ShareName share{};  // null, or the group that it is for: another member's, should this one leave
};

/// A QoS 2 packet id of the client's that waits for its PUBREL.
struct Received {
  MessageId message;         // 0: of before a restart
  bool is_stored = false;    // has its row
  bool is_released = false;  // PUBREL came, the row is being removed
};

/// A notification decided on but not handed out: its row is being committed, or its moment has not come.
struct HeldNotice {
  std::shared_ptr<const MessageRecord> message;
  std::shared_ptr<const EntryRecord> entry;
  SteadyTime due{};
  UtcTime expires_at{};
  bool is_committed = false;
  bool is_due = false;      // wake as soon as committed
  bool is_claimed = false;  // came back from storage: its entry's min_interval let it through before
  int attempt_count = 0;
};

/// The phone that a session belongs to.
struct PhonePart {
  UserRecordPtr user;
  PhoneRecord record;
  PhoneState state = PhoneState::Offline;
  bool is_reported_background = false;  // what it last said; `state` may be Suspect besides
  std::vector<std::shared_ptr<const EntryRecord>>
      entries;  // subscribed ones; a slot is Subscriber::sub_index
  std::map<MessageId, HeldNotice> held;
  std::map<EntryId, SteadyTime> last_notified;
};

/// A subscription's retained messages still to be sent, in slices.
struct RetainedJob {
  SubscriptionRecord subscription;
  std::string cursor;
};

/// A session whose stored messages of shared subscriptions go to other members before it ends.
struct Leaving {
  std::vector<ShareName> names;   // "$share/..." of the groups it was in
  std::vector<MessageId> handed;  // read from storage so far
  bool has_read_all = false;
  std::vector<std::pair<ConnectionId, AuthOutcome>> waiting;  // CONNECTs under its client id
};

struct Session {
  static constexpr std::uint32_t kPacketIds = 65535;
  static constexpr std::uint64_t kNotLoaded = ~std::uint64_t{0};  // in `restored`: still in storage

  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  ClientId client_id;
  Principal principal;
  Grants grants;
  std::uint32_t expiry_s = 0;  // 0: ends with its connection; 0xFFFFFFFF: never
  ConnectionId connection;     // 0: none
  UtcTime ends_at = kNever;
  std::map<std::string, SubscriptionRecord, std::less<>> subscriptions;

  Ring<Delivery> deliveries;
  std::uint64_t first_number = 0;  // of deliveries.front()
  std::uint32_t sent = 0;          // how many at the front are not Queued
  std::uint32_t inflight = 0;      // of those, Sent or Received
  std::uint32_t held = 0;          // of those, Held
  std::uint64_t numbered = 0;      // QoS 2 deliveries before this number have their packet ids
  std::map<std::uint16_t, std::uint64_t> restored;  // packet id that is not computed: its delivery's number
  std::map<std::uint16_t, Received> received;       // QoS 2 packet ids from the client, PUBREL still to come

  bool has_row = false;  // in the table of sessions, or on its way there
  bool has_stored_tail = false;
  bool is_catching_up = false;       // the tail is nearly read: new messages are kept in `fresh` too
  std::uint64_t catch_up_batch = 0;  // once this is committed, one more page holds everything before `fresh`
  std::uint64_t load_ticket = 0;     // 0: no page is being read
  std::uint64_t last_stored_batch = 0;
  Ring<Delivery> fresh;
  Ring<std::pair<std::uint64_t, MessageId>>
      removals;                       // (batch, message): row deletions that may not be committed yet
  std::uint32_t queued_messages = 0;  // owed to it, in memory or stored
  std::size_t queued_bytes = 0;
  bool is_full = false;               // beyond its limit, and said so
  std::uint32_t traced_refusals = 0;  // since then

  std::uint32_t doubtful_count = 0;  // of the oldest stored messages: may have been sent before the restart,
  UtcTime doubtful_until{};          // if they are from before this

  std::unique_ptr<Leaving> leaving;
  std::set<MessageId> handing;  // given to other members of a group; rows are kept until those have them
  std::vector<ShareName> left_groups;  // for which storage may still hold messages
  std::vector<RetainedJob> retained_jobs;
  std::unique_ptr<KeptWill> delayed_will;
  SteadyTime will_due{};
  std::unique_ptr<PhonePart> phone;
  std::uint32_t share_count = 0;  // shared ones among its subscriptions
  Readiness readiness =
      Readiness::Free;            // as told to the other shards; means something while share_count > 0
  std::uint64_t match_epoch = 0;  // route(): which publish matched it last,
  std::uint32_t match_index = 0;  // and where in the list of targets

  /// A phone in the background (or suspected to be) gets what is Held only when it returns.
  bool holds() const { return phone && phone->state != PhoneState::Foreground; }
  /// Room in the Outbound, or a free slot, may let something leave.
  bool has_more_to_send() const { return sent < deliveries.size() || held > 0 || has_stored_tail; }
  bool is_connected() const { return connection.value != 0; }
  /// Outlives its connection: what it is owed is durable.
  bool is_durable() const { return expiry_s != 0 || phone; }
  /// What it is owed may wait in storage. A durable one that is resumed with an expiry of 0 keeps its rows,
  /// and what is behind them, until its connection ends.
  bool has_storage() const { return is_durable() || has_row; }
  std::uint64_t key() const { return (std::uint64_t{generation} << 32) | slot; }

  /// v5 §2.2.1: 1..65535, and unique among what is on its way, which spans fewer (see pump()).
  static PacketId packet_id_of(std::uint64_t number) {
    return {static_cast<std::uint16_t>(number % kPacketIds + 1)};
  }
  PacketId packet_id_at(std::size_t position) const {
    const std::uint16_t own = deliveries[position].packet_id;
    return own != 0 ? PacketId{own} : packet_id_of(first_number + position);
  }
  Delivery& delivery(std::uint64_t number) { return deliveries[number - first_number]; }
  bool has_delivery(std::uint64_t number) const {
    return number >= first_number && number - first_number < deliveries.size();
  }
  /// The number whose computed packet id this is, among those in memory if it is there at all.
  std::uint64_t number_of(PacketId packet_id) const {
    return first_number + (packet_id.value + kPacketIds - 1 - first_number % kPacketIds) % kPacketIds;
  }
  /// The client may know it as some message's.
  bool is_taken(PacketId packet_id) const {
    if (restored.contains(packet_id.value)) return true;
    const std::uint64_t number = number_of(packet_id);
    if (!has_delivery(number)) return false;
    const Delivery& held = deliveries[number - first_number];
    if (held.packet_id != 0) return held.packet_id == packet_id.value && held.step != Delivery::Step::Done;
    return held.is_again || held.step == Delivery::Step::Sent || held.step == Delivery::Step::Received;
  }
  /// The wanted one or the next upwards that is not taken.
  std::optional<PacketId> free_id(PacketId wanted) const {
    for (std::uint32_t tries = 0; tries < kPacketIds; ++tries) {
      if (!is_taken(wanted)) return wanted;
      wanted = packet_id_of(wanted.value);
    }
    return std::nullopt;
  }
  /// At the end of the queue.
  void append(Delivery delivery) { deliveries.push_back(std::move(delivery)); }
  /// The number of the delivery on its way under this packet id.
  std::optional<std::uint64_t> find_sent(PacketId packet_id) const {
    if (packet_id.value == 0) return std::nullopt;
    std::uint64_t number = number_of(packet_id);
    if (const auto found = restored.find(packet_id.value); found != restored.end()) number = found->second;
    if (!has_delivery(number)) return std::nullopt;
    const std::size_t position = number - first_number;
    const Delivery::Step step = deliveries[position].step;
    const bool is_on_its_way = step == Delivery::Step::Sent || step == Delivery::Step::Received;
    if (!is_on_its_way || packet_id_at(position) != packet_id) return std::nullopt;
    return number;
  }
};

}  // namespace wake::broker
