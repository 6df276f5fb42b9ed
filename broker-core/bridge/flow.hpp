// Messages on their way through a bridge in one direction: from the session that sends them to the broker
// that receives them. Rule of the file: what the receiver has not acknowledged is not acknowledged to the
// sender, so a message is always in the keeping of one of the two brokers; here is only what is between them.
//
//   sender        QoS 1:  PUBLISH ->  PUBLISH -> | <- PUBACK  <- PUBACK                              receiver
//                 QoS 2:  PUBLISH ->  PUBLISH -> | <- PUBREC  <- PUBREC | PUBREL -> PUBREL -> | <- PUBCOMP <-
//                 PUBCOMP
//
// Packet ids towards the receiver are slots 1..kWindow, kept over a lost connection of either side, so that
// QoS 2 is exactly once. After a restart of the process the slots are forgotten: the receiver is asked to
// release them all (PUBREL), or it would take a new message for a repetition. What was in such a slot may
// then come twice.
//
// A receiver may close over a message and never say so: too large for a limit that 3.1.1 has no word for, a
// name or a character that it does not like. Sent again at each connection, it would hold up all others for
// ever. So the first message that was out as the receiver closed is a suspect; it goes out alone, once all
// requests of the connection are answered. But a receiver that crashes, or a network that resets, looks the
// same, and closes alone never lose a message: after kMaxCloses of them the suspect is parked and the others
// are tried, one by one, each connection the one that fared best so far. Only when the receiver has
// acknowledged another one, and then closes over the suspect once more, is the suspect passed over. While it
// acknowledges none, or there is no other, the tries go on, as rarely as the link's back-off makes them.
// Order: what was sent while another was parked overtakes it. That happens in this case alone.
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker-core/bridge/link.hpp"

namespace wake::broker {

/// A message as the receiver will get it. Owned.
struct CarriedMessage {
  std::string topic;
  std::string payload;
  std::string properties;  // forwardable
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  std::optional<SteadyTime> expires_at;
};

class Flow {
 public:
  /// Messages between the two at most. A v5 sender is told (Receive Maximum), of a 3.1.1 one no more is read.
  static constexpr std::uint16_t kWindow = 100;
  /// Bytes unwritten towards the receiver above which QoS 0 is dropped.
  static constexpr std::size_t kHighWater = 1024 * 1024;
  /// Connections that the receiver closed over a message, in a row, after which others are tried before it.
  static constexpr unsigned kMaxCloses = 3;
  /// Ids above the slots, for SUBSCRIBE.
  static constexpr std::uint16_t kFirstFreeId = kWindow + 1;

  struct Counters {
    std::uint64_t carried = 0;  // QoS 0: sent; else acknowledged by the receiver
    std::uint64_t dropped = 0;  // QoS 0 and the receiver away or slow; expired
    std::uint64_t refused = 0;  // by the receiver for good, too large for it, or it closes over them alone
  };

  /// `carries_qos2`: slots may be held by the receiver from before the process started.
  Flow(Link& sender, Link& receiver, bool carries_qos2)
      : sender_(sender), receiver_(receiver), carries_qos2_(carries_qos2), must_release_(carries_qos2) {}

  /// As at first: another process may have carried meanwhile.
  void begin();

  bool is_full() const { return entries_.size() >= kWindow; }
  bool is_empty() const { return entries_.empty(); }
  const Counters& counters() const { return counters_; }
  /// Why messages were refused, for the log.
  std::vector<std::string> take_refusals() { return std::exchange(refusals_, {}); }

  // ---- from the sender
  /// `dup`: the sender says that it sends again.
  void carry(CarriedMessage message, PacketId id, bool dup, Now now);
  /// A message that is not carried is acknowledged all the same.
  void pass_over(PacketId id, Qos qos);
  /// The same, counted and logged: the receiver would never take it.
  void turn_away(std::string_view topic, const std::string& why, PacketId id, Qos qos);
  void on_pubrel(PacketId id);
  void on_sender_up();

  // ---- from the receiver
  /// PUBACK, PUBREC or PUBCOMP. Not empty: it cannot take the message now; its link must be given up and
  /// tried again.
  std::optional<std::string> on_ack(const Ack& ack, Now now);
  void on_receiver_up(Now now);
  /// SUBACK or UNSUBACK.
  void on_receiver_answered(Now now) { pump(now); }
  /// `is_its_doing`: it closed a connection that was up, and gave no reason that speaks for the message.
  /// True: a message was passed over, and the next connection may fare better.
  bool on_receiver_lost(bool is_its_doing);

 private:
  struct Entry {
    enum class Step : std::uint8_t {
      Waiting,    // not sent on this connection
      Sent,       // PUBLISH is out
      Received,   // QoS 2: PUBREC was passed on, PUBREL has not come
      Releasing,  // PUBREL is out
    };
    CarriedMessage message;
    PacketId sender_id{};
    bool has_sender = true;  // the sender still knows this id
    bool was_sent = false;   // on an earlier connection, perhaps
    Step step = Step::Waiting;
    Qos qos = Qos::AtMostOnce;  // towards the receiver, once sent
    std::uint16_t slot = 0;     // 0: none; not sent yet, or nothing more to do there
    unsigned closes = 0;        // connections closed over it; a suspect unless 0, parked from kMaxCloses on
    bool is_last_try = false;   // parked, and the receiver has acknowledged another one since
  };

  void clear_suspicion();
  void blame_parked(const Entry& acknowledged);
  Entry* find_lone();
  Entry* find_sent(PacketId slot);
  Entry* find_from(PacketId sender_id);
  void erase(const Entry& entry);
  void forget_sender(Entry& entry);
  std::uint16_t free_slot() const;
  PublishParts parts_of(const CarriedMessage& message, Qos qos, Now now) const;
  void send_at_most_once(const CarriedMessage& message, Now now);
  bool start(Entry& entry, Now now);
  void pump(Now now);
  void passed_on(Entry& entry, bool needs_release);
  void release(Entry& entry);
  void answer(PacketType type, const Entry& entry);
  void refuse(std::string_view topic, const std::string& why);

  Link& sender_;
  Link& receiver_;
  const bool carries_qos2_;
  bool must_release_;
  std::deque<Entry> entries_;  // in the order of the sender
  Counters counters_;
  std::vector<std::string> refusals_;
};

}  // namespace wake::broker
