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
// ever. But a receiver that crashes, or a network that resets, looks the same, and must cost no message. So:
//
//   suspect  the first message that was out as the receiver closed; goes out alone at the next connection
//   parked   after kMaxCloses such closes: others go before it, alone and the one that fared best first; once
//            one of them is acknowledged, they flow as ever and the parked wait
//   trial    kProbation and more after that, the receiver having answered a PINGREQ on the same connection:
//            the parked go out again, each alone. Acknowledged, it is over
//   passed   closed over in kMaxTrials trials, and at no other time in between: whoever closes while none of
//            the parked is out closes over something else as well, and the count begins anew. (A connection
//            that is not taken, is cut by the network, or ended for a reason that is told, says nothing)
//
// A receiver that crashes, however often, does not do that: it would have to live through every probation and
// to die within the round trip of one message, that time after time. While it acknowledges nothing there is
// no trial, and the tries go on as rarely as the link's back-off makes them; a window full of messages none
// of which it takes is held for that reason. Order: what was sent while another was parked overtakes it. That
// happens in this case alone. QoS 0 waits while a message is out alone, and is dropped with the connection.
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
  /// Connections that the receiver closed over a message after which others are tried before it.
  static constexpr unsigned kMaxCloses = 3;
  /// Trials of a parked message that end so, after which it is passed over.
  static constexpr unsigned kMaxTrials = 3;
  /// How long a connection must have gone well at least before a parked message is tried on it.
  static constexpr std::chrono::seconds kProbation{5};
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
  /// PINGRESP.
  void on_receiver_alive(Now now);
  /// `is_its_doing`: it closed a connection that was up, and gave no reason that speaks for the message.
  /// True: it was a trial, and the connection was good until then.
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
    unsigned closes = 0;        // connections closed over it; a suspect unless 0
    unsigned trials = 0;        // those of them that were trials
    bool is_parked() const { return closes >= kMaxCloses; }
  };

  void took_one(Now now);
  bool close_over(Entry& entry);
  bool has_parked() const;
  Entry* find_lone();
  Entry* find_trial();
  Entry* find_sent(PacketId slot);
  Entry* find_from(PacketId sender_id);
  void erase(const Entry& entry);
  void forget_sender(Entry& entry);
  std::uint16_t free_slot() const;
  PublishParts parts_of(const CarriedMessage& message, Qos qos, Now now) const;
  void hold_or_send(CarriedMessage&& message, Now now);
  void send_held(Now now);
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
  std::deque<Entry> entries_;           // in the order of the sender
  std::optional<SteadyTime> taken_at_;  // when the receiver first acknowledged a message on this connection
  bool is_trial_ = false;               // the parked go out, and nothing else
  std::deque<CarriedMessage> held_;     // QoS 0 behind a message that is out alone
  std::size_t held_bytes_ = 0;
  Counters counters_;
  std::vector<std::string> refusals_;
};

}  // namespace wake::broker
