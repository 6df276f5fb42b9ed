// One function per trigger; what holds for all of them (acknowledged, expired, notified before) is asked
// first, and what withholds a push (no token, quiet hours, min_interval) last.
#include "broker-core/delivery/decide.hpp"

namespace wake::broker {
namespace {

/// The table of contract §2.2 before anything withholds the push. Suspect is a socket that may be dead: as
/// background.
Decision on_published(PushMode mode, const PhoneFacts& phone) noexcept {
  const bool is_offline = phone.state == PhoneState::Offline;
  const Reason state = is_offline                              ? Reason::Offline
                       : phone.state == PhoneState::Suspect    ? Reason::Suspect
                       : phone.state == PhoneState::Background ? Reason::Background
                                                               : Reason::Foreground;
  const MqttAction if_connected = is_offline ? MqttAction::Hold : MqttAction::SendNow;
  switch (mode) {
    case PushMode::Never:
      return {if_connected, PushAction::None, Reason::Never};
    case PushMode::Always:
      return {if_connected, PushAction::Now, Reason::Always};
    case PushMode::Fallback:
      break;
  }
  if (phone.state == PhoneState::Foreground) {
    return {MqttAction::SendNow, PushAction::AtAckDeadline, state, phone.ack_timeout};
  }
  return {MqttAction::Hold, PushAction::Now, state};
}

/// What is in flight when the socket goes gets a second to come back for.
Decision on_gone(PushMode mode) noexcept {
  if (mode == PushMode::Never) return {MqttAction::Hold, PushAction::None, Reason::Never};
  return {MqttAction::Hold, PushAction::AtAckDeadline, Reason::WentOffline, kOfflineGrace};
}

/// MQTT delivers first and the deadline begins anew; what Always asked for and has not left yet still goes.
Decision on_returned(PushMode mode, const PhoneFacts& phone) noexcept {
  switch (mode) {
    case PushMode::Never:
      return {MqttAction::SendNow, PushAction::None, Reason::Never};
    case PushMode::Always:
      return {MqttAction::SendNow, PushAction::Now, Reason::Always};
    case PushMode::Fallback:
      break;
  }
  return {MqttAction::SendNow, PushAction::AtAckDeadline, Reason::Returned, phone.ack_timeout};
}

/// Always means MQTT *and* push: an open app acknowledges within a millisecond, so cancelling here would
/// leave it no push at all.
Decision on_acknowledged(PushMode mode) noexcept {
  const PushAction push = mode == PushMode::Always ? PushAction::None : PushAction::Cancel;
  return {MqttAction::None, push, Reason::Acknowledged};
}

Decision push_unless_never(PushMode mode, Reason reason) noexcept {
  if (mode == PushMode::Never) return {MqttAction::None, PushAction::None, Reason::Never};
  return {MqttAction::None, PushAction::Now, reason};
}

Decision wish(Trigger trigger, PushMode mode, const PhoneFacts& phone) noexcept {
  switch (trigger) {
    case Trigger::Published:
      return on_published(mode, phone);
    case Trigger::AckTimedOut:
      return push_unless_never(mode, Reason::AckTimedOut);
    case Trigger::WentBackground:
      return push_unless_never(mode, Reason::WentBackground);
    case Trigger::WentOffline:
      return on_gone(mode);
    case Trigger::Returned:
      return on_returned(mode, phone);
    case Trigger::Acknowledged:
      break;
  }
  return on_acknowledged(mode);
}

bool is_too_soon(const EntryFacts& entry, const PhoneFacts& phone, Now now) noexcept {
  return phone.last_notified_at && now.steady - *phone.last_notified_at < entry.min_interval;
}

/// Quiet hours and min_interval are asked when the push would leave, not when its deadline is set.
Decision withhold(Decision wanted, const MessageFacts& message, const EntryFacts& entry,
                  const PhoneFacts& phone, Now now) noexcept {
  if (wanted.push == PushAction::None) return wanted;
  const bool leaves_now = wanted.push == PushAction::Now;
  const auto without_push = [&](Reason reason) { return Decision{wanted.mqtt, PushAction::None, reason}; };
  if (message.is_notified) return without_push(Reason::AlreadyNotified);
  if (!phone.has_token) return without_push(Reason::NoToken);
  if (leaves_now && entry.is_quiet_now) return without_push(Reason::QuietHours);
  if (leaves_now && is_too_soon(entry, phone, now)) return without_push(Reason::MinInterval);
  return wanted;
}

}  // namespace

Decision decide(Trigger trigger, const MessageFacts& message, const EntryFacts& entry,
                const PhoneFacts& phone, Now now) noexcept {
  const Decision wanted = wish(trigger, entry.mode, phone);
  if (trigger == Trigger::Acknowledged) return wanted;
  if (message.is_acknowledged) return {MqttAction::None, PushAction::None, Reason::Acknowledged};
  if (message.expires_at <= now.utc) return {MqttAction::None, PushAction::None, Reason::Expired};
  return withhold(wanted, message, entry, phone, now);
}

std::string_view to_string(Reason reason) noexcept {
  switch (reason) {
    case Reason::Foreground:
      return "foreground";
    case Reason::Always:
      return "always";
    case Reason::Never:
      return "never";
    case Reason::Background:
      return "background";
    case Reason::Suspect:
      return "suspect";
    case Reason::Offline:
      return "offline";
    case Reason::AckTimedOut:
      return "ack_timed_out";
    case Reason::Acknowledged:
      return "acknowledged";
    case Reason::WentBackground:
      return "went_background";
    case Reason::WentOffline:
      return "went_offline";
    case Reason::Returned:
      return "returned";
    case Reason::AlreadyNotified:
      return "already_notified";
    case Reason::Expired:
      return "expired";
    case Reason::NoToken:
      return "no_token";
    case Reason::QuietHours:
      return "quiet_hours";
    case Reason::MinInterval:
      return "min_interval";
  }
  return "";
}

std::string_view to_string(MqttAction action) noexcept {
  switch (action) {
    case MqttAction::SendNow:
      return "send_now";
    case MqttAction::Hold:
      return "hold";
    case MqttAction::None:
      return "none";
  }
  return "";
}

std::string_view to_string(PushAction action) noexcept {
  switch (action) {
    case PushAction::Now:
      return "now";
    case PushAction::AtAckDeadline:
      return "at_ack_deadline";
    case PushAction::Cancel:
      return "cancel";
    case PushAction::None:
      return "none";
  }
  return "";
}

std::string_view to_string(PhoneState state) noexcept {
  switch (state) {
    case PhoneState::Foreground:
      return "foreground";
    case PhoneState::Background:
      return "background";
    case PhoneState::Suspect:
      return "suspect";
    case PhoneState::Offline:
      return "offline";
  }
  return "";
}

std::ostream& operator<<(std::ostream& out, const Decision& decision) {
  return out << "{mqtt " << to_string(decision.mqtt) << ", push " << to_string(decision.push) << ", "
             << to_string(decision.reason) << ", after "
             << std::chrono::duration_cast<std::chrono::milliseconds>(decision.delay).count() << " ms}";
}

}  // namespace wake::broker
