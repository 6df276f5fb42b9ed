// What an answer makes of a notification and of its channel: one function per verdict of the fact sheet's §1.
#include <algorithm>
#include <functional>

#include "push/channel_advice.hpp"
#include "push/dispatch_entry.hpp"
#include "push/dispatch_machine.hpp"
#include "push/retry_policy.hpp"

namespace wake::push {
namespace {

using Kind = Resolution::Kind;

constexpr std::size_t kMaxReasons = 64;  // distinct ones counted per channel; the rest is "other"
// Refused before anybody looked: at once, then with growing pauses, so that a peer that always refuses is not
// hammered.
constexpr std::chrono::milliseconds kFirstRefusalPause{250};
constexpr int kLongestRefusalStep = 7;  // 250 ms << 7 = 32 s
// A phone that registered after the time its 410 names is tried this often before the 410 is believed.
constexpr int kTriesOfReborn = 3;
constexpr std::chrono::seconds kBadTargetRest{15 * 60};
constexpr std::chrono::seconds kMintPause{60};

bool is_power_of_ten(std::uint64_t count) {
  while (count >= 10 && count % 10 == 0) count /= 10;
  return count == 1;
}

std::string describe(const NotificationKey& key) {
  return "message " + std::to_string(key.message_id.value) + ", phone " + std::to_string(key.phone_id.value);
}

Resolution resolution_of(const Notification& notification, Kind kind, const Answer& answer, broker::Now now) {
  Resolution resolution;
  resolution.key = notification.key;
  resolution.kind = kind;
  resolution.reason = answer.reason;
  resolution.provider_id = answer.provider_id;
  resolution.at = now.utc;
  return resolution;
}

}  // namespace

void DispatchMachine::on_answer(Ticket ticket, Answer answer, broker::Now now) {
  const auto it = entries_.find(ticket);
  if (it == entries_.end() || it->second->state != NotificationState::InFlight) return;
  Entry& entry = *it->second;
  Channel& channel = *channels_[entry.channel];
  count(channel, answer);
  if (answer.status != 0) channel.guard.on_answer(now.steady);
  if (answer.is_counted) ++entry.notification.attempt_count;
  if (answer.reaction == Reaction::Alarm) alarm(channel, entry, answer);
  if (entry.is_test()) return on_test_answer(entry, std::move(answer), now);
  switch (answer.verdict) {
    case Verdict::Accepted:
      return on_accepted(entry, answer, now);
    case Verdict::DropMessage:
      return on_dropped(entry, answer, now);
    case Verdict::RemoveToken:
      return on_dead_token(entry, answer, now);
    case Verdict::Retry:
      return on_retry(entry, answer, now);
    case Verdict::RetryElsewhere:
      return answer.is_counted && answer.status == 0 ? on_retry(entry, answer, now)
                                                     : on_not_seen(entry, answer, now);
    case Verdict::RefreshCredential:
      return on_refresh(entry, answer, now);
    case Verdict::HoldDevice:
      return on_hold(entry, answer, now);
    case Verdict::ChannelDown:
      return on_channel_down(entry, answer, now);
  }
}

void DispatchMachine::count(Channel& channel, const Answer& answer) {
  auto key = std::make_pair(answer.verdict, answer.reason);
  if (channel.answers.size() >= kMaxReasons && !channel.answers.contains(key)) key.second = "other";
  ++channel.answers[key];
}

// Our own bug shows here first: loud, but not once per push.
void DispatchMachine::alarm(const Channel& channel, const Entry& entry, const Answer& answer) {
  const auto it = channel.answers.find({answer.verdict, answer.reason});
  const std::uint64_t count = it == channel.answers.end() ? 1 : it->second;
  if (!is_power_of_ten(count)) return;
  log(LogLevel::Error, "push.refused",
      to_string(channel.key) + ": " + std::to_string(answer.status) + ' ' + answer.reason + " for " +
          describe(entry.notification.key) + ", " + std::to_string(count) +
          " so far: a fault of ours, not of the phone");
}

void DispatchMachine::on_test_answer(Entry& entry, Answer answer, broker::Now now) {
  if (answer.verdict == Verdict::RefreshCredential && !entry.has_refreshed) {
    entry.has_refreshed = true;
    return again(entry, now);
  }
  Channel& channel = *channels_[entry.channel];
  if (answer.verdict == Verdict::Accepted && channel.is_down() && !channel.is_storm) bring_up(channel);
  effects_.tests.emplace_back(entry.ticket, std::move(answer));
  forget(entry, NotificationEvent::Settled);
}

void DispatchMachine::on_accepted(Entry& entry, const Answer& answer, broker::Now now) {
  Channel& channel = *channels_[entry.channel];
  ++channel.accepted_count;
  if (channel.is_down()) bring_up(channel);
  resting_.erase(entry.phone());
  Resolution resolution = resolution_of(entry.notification, Kind::Sent, answer, now);
  const broker::DeviceToken& token = entry.notification.token;
  if (token.platform == broker::Platform::Apns && !token.environment_proven) {
    resolution.proven_environment = token.environment;
  }
  resolve(entry, std::move(resolution), NotificationEvent::Settled);
}

void DispatchMachine::on_dropped(Entry& entry, const Answer& answer, broker::Now now) {
  if (answer.reaction == Reaction::WithoutPayload && !entry.is_without_payload) {
    entry.is_without_payload = true;
    if (!settle_if_withdrawn(entry, now)) again(entry, now);
    return;
  }
  resolve(entry, resolution_of(entry.notification, Kind::Failed, answer, now), NotificationEvent::Settled);
}

void DispatchMachine::on_dead_token(Entry& entry, const Answer& answer, broker::Now now) {
  if (entry.is_recalled && settle_if_withdrawn(entry, now))
    return;  // the dead token is no longer the phone's
  Channel& channel = *channels_[entry.channel];
  if (answer.reaction == Reaction::IfOthersAccepted && channel.accepted_count == 0) {
    return resolve(entry, resolution_of(entry.notification, Kind::Failed, answer, now),
                   NotificationEvent::Settled);
  }
  if (answer.reaction == Reaction::TryOtherEnvironment && try_other_environment(entry, now)) return;
  const broker::DeviceToken& token = entry.notification.token;
  const bool is_reborn = answer.invalid_since && token.registered_at > *answer.invalid_since;
  if (is_reborn && entry.notification.attempt_count < kTriesOfReborn) return on_retry(entry, answer, now);
  const bool is_storm = channel.guard.on_dead_token(std::hash<std::string>{}(token.token), now.steady);
  if (is_storm || channel.is_storm) {
    channel.is_storm = true;
    bring_down(channel, "storm", now);
    if (!settle_if_withdrawn(entry, now)) again(entry, now);
    return;
  }
  Resolution resolution = resolution_of(entry.notification, Kind::Failed, answer, now);
  resolution.token_removal = {token, answer.invalid_since.value_or(entry.sent_at)};
  resolution.token_removal->token.environment = entry.registered_environment;
  log(LogLevel::Info, "push.token_removed",
      to_string(channel.key) + ": " + answer.reason + " for " + describe(entry.notification.key));
  forget_given_back(entry.phone());  // their rows end with the token
  resolve(entry, std::move(resolution), NotificationEvent::Settled);
}

// BadDeviceToken may only mean the other host: tried once, if nobody ever proved where the phone lives.
bool DispatchMachine::try_other_environment(Entry& entry, broker::Now now) {
  broker::DeviceToken& token = entry.notification.token;
  if (token.environment_proven || entry.has_tried_other) return false;
  const bool was_production = token.environment == broker::Environment::Production;
  const auto other = was_production ? broker::Environment::Sandbox : broker::Environment::Production;
  const auto channel = find_channel({token.app_id, token.platform, other});
  if (!channel) return false;
  entry.has_tried_other = true;
  if (settle_if_withdrawn(entry, now)) return true;
  step(entry, NotificationEvent::Again);
  --channels_[entry.channel]->entry_count;
  ++channels_[*channel]->entry_count;
  entry.channel = *channel;
  token.environment = other;
  set_timer(entry, to_steady(entry.expires_at, now));
  make_ready(entry);
  return true;
}

void DispatchMachine::on_retry(Entry& entry, const Answer& answer, broker::Now now) {
  if (settle_if_withdrawn(entry, now)) return;
  RetryQuestion question;
  question.platform = entry.notification.token.platform;
  question.attempt_count = std::max(entry.notification.attempt_count, 1);
  question.retry_after = answer.retry_after;
  question.now = now.utc;
  question.expires_at = entry.expires_at;
  question.random = random_();
  if (answer.reaction == Reaction::WholeApp) {
    Channel& channel = *channels_[entry.channel];
    const auto wait = answer.retry_after.value_or(kDefaultHold);
    channel.held_until = std::max(channel.held_until, now.steady + wait);
    question.retry_after = wait;
    log(LogLevel::Warn, "push.app_held",
        to_string(channel.key) + ": " + answer.reason + ", waiting " + std::to_string(wait.count()) + " s");
  }
  if (answer.reaction == Reaction::PauseMinting)
    question.retry_after = answer.retry_after.value_or(kMintPause);
  const auto due = next_retry_at(question);
  if (due) return retry_at(entry, *due, answer.reason, now);
  Answer last = answer;
  last.reason = "expired: " + answer.reason;
  resolve(entry, resolution_of(entry.notification, Kind::Expired, last, now), NotificationEvent::Settled);
}

void DispatchMachine::retry_at(Entry& entry, broker::UtcTime due, const std::string& reason,
                               broker::Now now) {
  if (due - now.utc > limits_.keep_waiting)
    return release(entry, due, reason, now, NotificationEvent::Settled);
  Resolution resolution;
  resolution.key = entry.notification.key;
  resolution.kind = Kind::RetryAt;
  resolution.reason = reason;
  resolution.attempt_count = entry.notification.attempt_count;
  resolution.at = now.utc;
  resolution.due_at = due;
  effects_.resolutions.push_back(std::move(resolution));
  delay(entry, to_steady(due, now), NotificationEvent::Later, now);
}

// The connection failed, not the message.
void DispatchMachine::on_not_seen(Entry& entry, const Answer& answer, broker::Now now) {
  if (settle_if_withdrawn(entry, now)) return;
  const int refusals = entry.refusal_count++;
  if (refusals == 0) return again(entry, now);
  const auto pause = kFirstRefusalPause * (1 << std::min(refusals - 1, kLongestRefusalStep));
  const auto due = now.utc + std::chrono::duration_cast<std::chrono::microseconds>(pause);
  if (due < entry.expires_at) return retry_at(entry, due, answer.reason, now);
  resolve(entry, resolution_of(entry.notification, Kind::Expired, answer, now), NotificationEvent::Settled);
}

void DispatchMachine::on_refresh(Entry& entry, const Answer& answer, broker::Now now) {
  if (entry.has_refreshed) return on_channel_down(entry, answer, now);
  entry.has_refreshed = true;
  if (!settle_if_withdrawn(entry, now)) again(entry, now);
}

void DispatchMachine::on_hold(Entry& entry, const Answer& answer, broker::Now now) {
  if (settle_if_withdrawn(entry, now)) return;
  Rest& rest = resting_[entry.phone()];
  const auto hold = phone_hold(rest.step, answer.retry_after);
  // Several answers of one burst are one "too many".
  if (now.steady >= rest.until) {
    rest.until = now.steady + hold;
    ++rest.step;
  }
  const auto due = now.utc + std::chrono::ceil<std::chrono::microseconds>(rest.until - now.steady);
  if (due < entry.expires_at) return retry_at(entry, due, answer.reason, now);
  Answer last = answer;
  last.reason = "expired: " + answer.reason;
  resolve(entry, resolution_of(entry.notification, Kind::Expired, last, now), NotificationEvent::Settled);
}

void DispatchMachine::on_channel_down(Entry& entry, const Answer& answer, broker::Now now) {
  Channel& channel = *channels_[entry.channel];
  if (answer.reaction == Reaction::ThisTargetOnly) {
    Answer later = answer;
    later.retry_after = kBadTargetRest;
    alarm_target(channel, answer);
    return on_hold(entry, later, now);
  }
  bring_down(channel, answer.reason, now);
  if (settle_if_withdrawn(entry, now)) return;
  entry.has_refreshed = false;
  again(entry, now);
}

void DispatchMachine::alarm_target(const Channel& channel, const Answer& answer) {
  const auto it = channel.answers.find({answer.verdict, answer.reason});
  if (it == channel.answers.end() || !is_power_of_ten(it->second)) return;
  log(LogLevel::Error, "push.target_down",
      to_string(channel.key) + ": " + answer.reason + " for iOS or web phones; Android goes on. " +
          std::string(advice_for(channel.key.platform, answer.reason)));
}

// Acknowledged, replaced, its phone changed or its configuration gone while it was in the air: no second try
// from here.
bool DispatchMachine::settle_if_withdrawn(Entry& entry, broker::Now now) {
  if (entry.is_recalled && !entry.is_withdrawn) {
    release(entry, now.utc, "the phone changed", now, NotificationEvent::Settled);
    return true;
  }
  const bool is_orphan = !channels_[entry.channel]->is_configured;
  const bool is_old = is_replaced(entry);
  if (!entry.is_withdrawn && !is_old && !is_orphan) return false;
  Answer answer;
  answer.reason = entry.is_withdrawn ? "acknowledged"
                  : is_old           ? "replaced by a newer one"
                                     : "no longer configured";
  const Kind kind = entry.is_withdrawn || is_old ? Kind::Cancelled : Kind::Failed;
  resolve(entry, resolution_of(entry.notification, kind, answer, now), NotificationEvent::Settled);
  return true;
}

void DispatchMachine::bring_down(Channel& channel, const std::string& reason, broker::Now now) {
  const bool was_down = channel.is_down();
  channel.down_reason =
      reason + ": " + std::string(advice_for(channel.key.platform, reason)) + ", then send SIGHUP";
  if (was_down) return;
  channel.next_probe = now.steady + limits_.probe_every;
  log(LogLevel::Error, "push.channel_down",
      to_string(channel.key) + ": " + channel.down_reason + ". Nothing is lost; tried again every " +
          std::to_string(limits_.probe_every.count()) + " s");
  while (channel.ready.size() > limits_.max_while_down) {
    Entry& last = *entries_.at(*channel.ready.rbegin());
    release(last, now.utc + limits_.probe_every, channel.down_reason, now, NotificationEvent::Withdrawn);
  }
}

void DispatchMachine::bring_up(Channel& channel) {
  channel.down_reason.clear();
  channel.is_storm = false;
  log(LogLevel::Info, "push.channel_up", to_string(channel.key));
}

void DispatchMachine::on_trouble(ChannelIndex index, const std::string& why) {
  Channel& channel = *channels_[index];
  answer_waiting_tests(channel, Verdict::Retry, why);
  if (channel.trouble == why) return;
  channel.trouble = why;
  log(LogLevel::Warn, "push.unreachable",
      to_string(channel.key) + ": " + why + "; " + std::string(advice_for_trouble(why)) + ". Trying again");
}

void DispatchMachine::on_recovered(ChannelIndex index, broker::Now now) {
  Channel& channel = *channels_[index];
  if (channel.is_down() && channel.is_refused) {
    channel.is_refused = false;
    channel.next_probe = now.steady;
  }
  if (channel.trouble.empty()) return;
  channel.trouble.clear();
  log(LogLevel::Info, "push.reachable", to_string(channel.key));
}

void DispatchMachine::on_refused(ChannelIndex index, const std::string& why, broker::Now now) {
  channels_[index]->is_refused = true;
  bring_down(*channels_[index], why, now);
  answer_waiting_tests(*channels_[index], Verdict::ChannelDown, why);
}

}  // namespace wake::push
