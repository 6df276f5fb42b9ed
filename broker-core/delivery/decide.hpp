// What one phone gets of one message, now: contract §2.2 to §2.4 as one pure function. It sees facts, not
// objects; it sends nothing, stores nothing, logs nothing.
//
// The caller's side: SendNow / Hold are about the MQTT session; Now hands a notification to the outbox;
// AtAckDeadline asks to be called with AckTimedOut after `delay`, unless acknowledged before. A new decision
// on push replaces an earlier AtAckDeadline. On AckTimedOut of a connected phone the caller marks it Suspect.
// Not here: rendering and sending (push/); the cap of one silent notification per 20 minutes, where the
// newest wins (push/).
#pragma once

#include <chrono>
#include <optional>
#include <ostream>
#include <string_view>

#include "broker-core/delivery/records.hpp"
#include "broker-core/types.hpp"

namespace wake::broker {

/// Contract §2.3. Suspect: connected, but it missed an ack deadline and has shown no life since; treated as
/// background.
enum class PhoneState : std::uint8_t { Foreground, Background, Suspect, Offline };

enum class Trigger : std::uint8_t {
  Published,       // a subscribed entry matched a publish
  AckTimedOut,     // the deadline asked for by AtAckDeadline has passed
  Acknowledged,    // by MQTT, or in the inbox by REST; cancels but for mode always
  WentBackground,  // the phone was in foreground; the message is unacknowledged
  WentOffline,     // the connection is gone; the message was in flight
  Returned,        // connected, back in foreground, or alive after Suspect; the message waits for the phone
};

enum class MqttAction : std::uint8_t {
  SendNow,  // offer it to the session
  Hold,     // keep it until Returned, even if connected: fallback in background (contract §2.2)
  None,     // leave it as it is
};

enum class PushAction : std::uint8_t {
  Now,            // the notification goes out
  AtAckDeadline,  // ask again (AckTimedOut) after Decision::delay
  Cancel,         // forget the deadline; if the notification has not left yet, it must not
  None,           // nothing new: no notification, no deadline
};

/// Why, as the trace of a message shows it.
enum class Reason : std::uint8_t {
  Foreground,  // MQTT first; push if it is not acknowledged in time
  Always,      // the entry's mode asks for a push in any state
  Never,       // the entry's mode asks for none
  Background,
  Suspect,
  Offline,
  AckTimedOut,
  Acknowledged,
  WentBackground,
  WentOffline,
  Returned,
  AlreadyNotified,  // at most one notification per (message, phone)
  Expired,
  NoToken,
  QuietHours,
  MinInterval,
};

/// Contract §2.3: what was in flight is pushed this long after the connection went; a reconnect within it
/// cancels.
inline constexpr Duration kOfflineGrace = std::chrono::seconds(1);

/// The message, as far as this phone is concerned.
struct MessageFacts {
  UtcTime expires_at = kNever;
  bool is_acknowledged = false;
  bool is_notified = false;  // PushAction::Now was decided before for this phone, sent or not yet
};
/// The entry's policy.
struct EntryFacts {
  PushMode mode = PushMode::Fallback;
  Duration min_interval{};    // between notifications of this entry to one phone; 0: none
  bool is_quiet_now = false;  // now falls into the entry's quiet hours (the caller knows time zones)
};
struct PhoneFacts {
  PhoneState state = PhoneState::Offline;  // after the trigger: WentOffline comes with Offline
  bool has_token = false;
  std::optional<SteadyTime> last_notified_at{};  // by this entry; nullopt: never
  Duration ack_timeout = std::chrono::seconds(10);
};

struct Decision {
  MqttAction mqtt = MqttAction::None;
  PushAction push = PushAction::None;
  Reason reason = Reason::Never;
  Duration delay{};  // AtAckDeadline: how long from now; else 0
  friend bool operator==(const Decision&, const Decision&) = default;
};

Decision decide(Trigger trigger, const MessageFacts& message, const EntryFacts& entry,
                const PhoneFacts& phone, Now now) noexcept;

/// snake_case words: "ack_timed_out"; what outbox.reason and /v1/messages/{id}/trace say.
std::string_view to_string(Reason reason) noexcept;
std::string_view to_string(MqttAction action) noexcept;
std::string_view to_string(PushAction action) noexcept;
std::string_view to_string(PhoneState state) noexcept;
std::ostream& operator<<(std::ostream& out, const Decision& decision);

}  // namespace wake::broker
