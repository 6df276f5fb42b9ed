#include "push/dispatch_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "push/retry_policy.hpp"

namespace wake::push {
namespace {

using broker::Environment;
using broker::Platform;
using testing::HasSubstr;
using testing_support::kAt;
using testing_support::Parts;
using Kind = Resolution::Kind;
using namespace std::chrono_literals;

Answer answer_of(Verdict verdict, std::string reason = "", Reaction reaction = Reaction::None) {
  Answer answer;
  answer.verdict = verdict;
  answer.reason = std::move(reason);
  answer.reaction = reaction;
  answer.status = verdict == Verdict::Accepted ? 200 : 400;
  answer.is_counted = verdict != Verdict::RefreshCredential && verdict != Verdict::ChannelDown;
  return answer;
}

// A machine with both APNs hosts and FCM, a clock that only the test moves, and jitter in the middle.
class Machine : public testing::Test {
 protected:
  Machine() : machine_(limits(), [] { return 0.5; }) {
    production_ = machine_.open_channel({"com.example.cam", Platform::Apns, Environment::Production}, now_);
    sandbox_ = machine_.open_channel({"com.example.cam", Platform::Apns, Environment::Sandbox}, now_);
    fcm_ = machine_.open_channel({"com.example.cam", Platform::Fcm, Environment::Production}, now_);
  }
  static DispatchLimits limits() {
    DispatchLimits limits;
    limits.max_in_memory = 50;
    limits.max_per_channel = 40;
    limits.max_while_down = 3;
    return limits;
  }
  Notification notification(std::int64_t message, std::int64_t phone = 7) {
    Parts parts;
    parts.message.id.value = message;
    parts.phone = phone;
    parts.token.token = "token" + std::to_string(phone);
    parts.entry = entry_;
    parts.token.environment_proven = is_proven_;
    parts.token.platform = platform_;
    return parts.make();
  }
  void submit(std::int64_t message, std::int64_t phone = 7) {
    machine_.submit(notification(message, phone), now_);
  }
  std::optional<Ticket> take(ChannelIndex channel) {
    const auto send = machine_.next(channel, now_);
    return send ? std::optional(send->ticket) : std::nullopt;
  }
  std::optional<Ticket> take() { return take(production_); }
  void answer(std::optional<Ticket> ticket, const Answer& answer) {
    ASSERT_TRUE(ticket);
    machine_.on_answer(*ticket, answer, now_);
  }
  void pass(broker::Duration time) {
    now_.steady += time;
    now_.utc += std::chrono::duration_cast<std::chrono::microseconds>(time);
    machine_.on_time(now_);
  }
  std::vector<Resolution> resolutions() { return machine_.take_effects().resolutions; }
  Resolution only_resolution() {
    const auto all = resolutions();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? Resolution{} : all[0];
  }

  broker::EntryRecord entry_ = Parts().entry;
  bool is_proven_ = true;
  Platform platform_ = Platform::Apns;
  broker::Now now_{broker::SteadyTime{} + 1000h, kAt};
  DispatchMachine machine_;
  ChannelIndex production_ = 0;
  ChannelIndex sandbox_ = 0;
  ChannelIndex fcm_ = 0;
};

TEST_F(Machine, AcceptedIsSent) {
  submit(1);
  Answer accepted = answer_of(Verdict::Accepted);
  accepted.provider_id = "id";
  answer(take(), accepted);
  const Resolution sent = only_resolution();
  EXPECT_EQ(sent.kind, Kind::Sent);
  EXPECT_EQ(sent.provider_id, "id");
  EXPECT_EQ(sent.attempt_count, 1);
  EXPECT_FALSE(sent.proven_environment);
  EXPECT_EQ(machine_.in_memory(), 0U);
}

TEST_F(Machine, AKeyInMemoryIsNotTakenTwice) {
  submit(1);
  submit(1);
  const auto ticket = take();
  submit(1);
  EXPECT_FALSE(take());
  answer(ticket, answer_of(Verdict::Accepted));
  EXPECT_EQ(resolutions().size(), 1U);
}

TEST_F(Machine, SendsInOrderOfArrival) {
  for (const int phone : {3, 1, 2}) submit(phone, phone);
  std::vector<std::int64_t> order;
  while (const auto send = machine_.next(production_, now_))
    order.push_back(send->notification->key.phone_id.value);
  EXPECT_EQ(order, (std::vector<std::int64_t>{3, 1, 2}));
}

TEST_F(Machine, CancelBeforeItLeaves) {
  submit(1);
  machine_.cancel({{1}, {7}}, now_);
  EXPECT_EQ(only_resolution().kind, Kind::Cancelled);
  EXPECT_FALSE(take());
}

TEST_F(Machine, CancelInTheAirDoesNotHideThatItWasSent) {
  submit(1);
  const auto ticket = take();
  machine_.cancel({{1}, {7}}, now_);
  EXPECT_TRUE(resolutions().empty());
  answer(ticket, answer_of(Verdict::Accepted));
  EXPECT_EQ(only_resolution().kind, Kind::Sent);
}

TEST_F(Machine, CancelInTheAirStopsTheRepeat) {
  submit(1);
  const auto ticket = take();
  machine_.cancel({{1}, {7}}, now_);
  answer(ticket, answer_of(Verdict::Retry, "InternalServerError"));
  EXPECT_EQ(only_resolution().kind, Kind::Cancelled);
}

TEST_F(Machine, RetryWaitsItsTimeAndGoesAgain) {
  submit(1);
  answer(take(), answer_of(Verdict::Retry, "InternalServerError"));
  const Resolution retry = only_resolution();
  EXPECT_EQ(retry.kind, Kind::RetryAt);
  EXPECT_EQ(retry.due_at, kAt + 5s);
  EXPECT_EQ(retry.attempt_count, 1);
  pass(4900ms);
  EXPECT_FALSE(take());
  pass(100ms);
  EXPECT_TRUE(take());
}

TEST_F(Machine, ALateRetryIsGivenBack) {
  Notification tried = notification(1);
  tried.attempt_count = 4;
  machine_.submit(tried, now_);
  answer(take(), answer_of(Verdict::Retry, "InternalServerError"));
  const Resolution released = only_resolution();
  EXPECT_EQ(released.kind, Kind::Released);
  EXPECT_EQ(released.due_at, kAt + 900s);
  EXPECT_EQ(released.attempt_count, 5);
  EXPECT_EQ(machine_.in_memory(), 0U);
}

TEST_F(Machine, RetryAfterIsHonoured) {
  submit(1);
  Answer busy = answer_of(Verdict::Retry, "ServiceUnavailable");
  busy.retry_after = 100s;
  answer(take(), busy);
  EXPECT_EQ(only_resolution().due_at, kAt + 100s);
}

TEST_F(Machine, RetryThatWouldComeTooLateExpires) {
  Notification brief = notification(1);
  brief.expires_at = kAt + 4s;
  machine_.submit(brief, now_);
  answer(take(), answer_of(Verdict::Retry, "InternalServerError"));
  EXPECT_EQ(only_resolution().kind, Kind::Expired);
}

TEST_F(Machine, ExpiresWhileItWaits) {
  submit(1);
  pass(1h);
  EXPECT_EQ(only_resolution().kind, Kind::Expired);
  EXPECT_FALSE(take());
  submit(2);
  EXPECT_EQ(only_resolution().kind, Kind::Expired);
}

TEST_F(Machine, RefusedStreamGoesAgainAtOnceThenSlowerAndIsNotCounted) {
  submit(1);
  answer(take(), answer_not_seen("refused stream"));
  EXPECT_TRUE(resolutions().empty());
  answer(take(), answer_not_seen("refused stream"));
  EXPECT_EQ(only_resolution().due_at, kAt + 250ms);
  pass(250ms);
  answer(take(), answer_of(Verdict::Accepted));
  EXPECT_EQ(only_resolution().attempt_count, 1);
}

TEST_F(Machine, ALostAnswerIsCountedAndRepeatedLater) {
  submit(1);
  answer(take(), answer_lost("read: end of file"));
  const Resolution retry = only_resolution();
  EXPECT_EQ(retry.kind, Kind::RetryAt);
  EXPECT_EQ(retry.attempt_count, 1);
}

TEST_F(Machine, DropMessageFails) {
  submit(1);
  answer(take(), answer_of(Verdict::DropMessage, "BadPriority", Reaction::Alarm));
  const DispatchEffects effects = machine_.take_effects();
  ASSERT_EQ(effects.resolutions.size(), 1U);
  EXPECT_EQ(effects.resolutions[0].kind, Kind::Failed);
  EXPECT_FALSE(effects.resolutions[0].token_removal);
  ASSERT_EQ(effects.log.size(), 1U);
  EXPECT_EQ(effects.log[0].event, "push.refused");
}

TEST_F(Machine, TooLargeIsTriedOnceWithoutPayload) {
  submit(1);
  answer(take(), answer_of(Verdict::DropMessage, "PayloadTooLarge", Reaction::WithoutPayload));
  EXPECT_TRUE(resolutions().empty());
  const auto send = machine_.next(production_, now_);
  ASSERT_TRUE(send);
  EXPECT_TRUE(send->is_without_payload);
  answer(send->ticket, answer_of(Verdict::DropMessage, "PayloadTooLarge", Reaction::WithoutPayload));
  EXPECT_EQ(only_resolution().kind, Kind::Failed);
}

TEST_F(Machine, DeadTokenIsRemovedUpToTheTimeOfSending) {
  submit(1);
  const auto ticket = take();
  pass(3s);
  answer(ticket, answer_of(Verdict::RemoveToken, "DeviceTokenNotForTopic"));
  const Resolution failed = only_resolution();
  EXPECT_EQ(failed.kind, Kind::Failed);
  ASSERT_TRUE(failed.token_removal);
  EXPECT_EQ(failed.token_removal->token.token, "token7");
  EXPECT_EQ(failed.token_removal->registered_until, kAt);
}

TEST_F(Machine, DeadTokenIsRemovedUpToTheTimeThatAppleNames) {
  submit(1);
  Answer gone = answer_of(Verdict::RemoveToken, "Unregistered");
  gone.invalid_since = kAt - 1h;
  answer(take(), gone);
  EXPECT_EQ(only_resolution().token_removal->registered_until, kAt - 1h);
}

TEST_F(Machine, ATokenRegisteredAfterApplesTimeIsTriedAgain) {
  submit(1);
  Answer gone = answer_of(Verdict::RemoveToken, "Unregistered");
  gone.invalid_since = kAt - 48h;  // registered 24 h ago
  answer(take(), gone);
  const Resolution retry = only_resolution();
  EXPECT_EQ(retry.kind, Kind::RetryAt);
  EXPECT_FALSE(retry.token_removal);
}

TEST_F(Machine, UnprovenEnvironmentTriesTheOtherOnce) {
  is_proven_ = false;
  submit(1);
  answer(take(), answer_of(Verdict::RemoveToken, "BadDeviceToken", Reaction::TryOtherEnvironment));
  EXPECT_TRUE(resolutions().empty());
  EXPECT_FALSE(take());
  answer(take(sandbox_), answer_of(Verdict::Accepted));
  const Resolution sent = only_resolution();
  EXPECT_EQ(sent.kind, Kind::Sent);
  EXPECT_EQ(sent.proven_environment, Environment::Sandbox);
}

TEST_F(Machine, BadOnBothHostsIsRemovedAsItWasRegistered) {
  is_proven_ = false;
  submit(1);
  const Answer bad = answer_of(Verdict::RemoveToken, "BadDeviceToken", Reaction::TryOtherEnvironment);
  answer(take(), bad);
  answer(take(sandbox_), bad);
  const Resolution failed = only_resolution();
  EXPECT_EQ(failed.kind, Kind::Failed);
  ASSERT_TRUE(failed.token_removal);
  EXPECT_EQ(failed.token_removal->token.environment, Environment::Production);
}

TEST_F(Machine, AProvenEnvironmentIsNotTriedElsewhere) {
  submit(1);
  answer(take(), answer_of(Verdict::RemoveToken, "BadDeviceToken", Reaction::TryOtherEnvironment));
  EXPECT_TRUE(only_resolution().token_removal);
}

TEST_F(Machine, FcmsInvalidTokenIsBelievedOnlyWhenOthersWereAccepted) {
  platform_ = Platform::Fcm;
  const Answer bad = answer_of(Verdict::RemoveToken, "INVALID_ARGUMENT", Reaction::IfOthersAccepted);
  submit(1, 1);
  answer(take(fcm_), bad);
  EXPECT_FALSE(only_resolution().token_removal);
  submit(2, 2);
  answer(take(fcm_), answer_of(Verdict::Accepted));
  submit(3, 3);
  answer(take(fcm_), bad);
  EXPECT_TRUE(resolutions().back().token_removal);
}

TEST_F(Machine, RefreshOnceThenChannelDown) {
  submit(1);
  const Answer stale = answer_of(Verdict::RefreshCredential, "ExpiredProviderToken");
  answer(take(), stale);
  EXPECT_TRUE(machine_.status()[production_].is_ready);
  answer(take(), stale);
  const ChannelStatus status = machine_.status()[production_];
  EXPECT_FALSE(status.is_ready);
  EXPECT_THAT(status.detail, HasSubstr("clock"));
  EXPECT_TRUE(resolutions().empty());
  EXPECT_EQ(machine_.in_memory(), 1U);
}

TEST_F(Machine, AChannelThatIsDownKeepsEverythingAndProbesOnceAMinute) {
  submit(1, 1);
  submit(2, 2);
  answer(take(), answer_of(Verdict::ChannelDown, "InvalidProviderToken"));
  const DispatchEffects effects = machine_.take_effects();
  EXPECT_TRUE(effects.resolutions.empty());
  ASSERT_EQ(effects.log.size(), 1U);
  EXPECT_EQ(effects.log[0].event, "push.channel_down");
  EXPECT_THAT(effects.log[0].text, HasSubstr("key_id"));
  EXPECT_FALSE(take());
  pass(60s);
  const auto probe = take();
  EXPECT_FALSE(take());
  answer(probe, answer_of(Verdict::ChannelDown, "InvalidProviderToken"));
  EXPECT_TRUE(machine_.take_effects().log.empty());
  pass(60s);
  answer(take(), answer_of(Verdict::Accepted));
  EXPECT_TRUE(machine_.status()[production_].is_ready);
  EXPECT_TRUE(take());
}

TEST_F(Machine, OneChannelDownDoesNotStopTheOther) {
  submit(1);
  answer(take(), answer_of(Verdict::ChannelDown, "BadTopic"));
  platform_ = Platform::Fcm;
  submit(2);
  EXPECT_TRUE(take(fcm_));
}

TEST_F(Machine, WhatADownChannelCannotKeepAtHandIsGivenBack) {
  for (int phone = 1; phone <= 6; ++phone) submit(phone, phone);
  answer(take(), answer_of(Verdict::ChannelDown, "BadTopic"));
  const auto released = resolutions();
  ASSERT_EQ(released.size(), 2U);  // 6 less the one in the air less 3 kept
  EXPECT_EQ(released[0].kind, Kind::Released);
  EXPECT_EQ(released[0].due_at, kAt + 60s);
  submit(9, 9);
  EXPECT_EQ(only_resolution().kind, Kind::Released);
}

TEST_F(Machine, ReopeningAChannelResumesAtOnce) {
  submit(1);
  answer(take(), answer_of(Verdict::ChannelDown, "BadTopic"));
  machine_.open_channel({"com.example.cam", Platform::Apns, Environment::Production}, now_);
  EXPECT_TRUE(take());
}

TEST_F(Machine, ARefusedCredentialIsProbedAsSoonAsAnotherIsThere) {
  submit(1);
  machine_.on_refused(production_, "invalid_grant", now_);
  EXPECT_FALSE(take());
  machine_.on_recovered(production_, now_);
  answer(take(), answer_of(Verdict::Accepted));
  EXPECT_TRUE(machine_.status()[production_].is_ready);
}

TEST_F(Machine, HoldRestsThePhoneAndNobodyElse) {
  submit(1, 1);
  submit(2, 1);
  submit(3, 2);
  answer(take(), answer_of(Verdict::HoldDevice, "TooManyRequests"));
  EXPECT_EQ(only_resolution().due_at, kAt + 30s);
  const auto send = machine_.next(production_, now_);
  ASSERT_TRUE(send);
  EXPECT_EQ(send->notification->key.phone_id.value, 2);
  EXPECT_FALSE(take());
  pass(30s);
  answer(take(), answer_of(Verdict::HoldDevice, "TooManyRequests"));
  EXPECT_EQ(only_resolution().due_at, now_.utc + 60s);
}

TEST_F(Machine, ProjectQuotaHoldsTheWholeApp) {
  platform_ = Platform::Fcm;
  submit(1, 1);
  submit(2, 2);
  answer(take(fcm_), answer_of(Verdict::Retry, "QUOTA_EXCEEDED", Reaction::WholeApp));
  EXPECT_FALSE(take(fcm_));
  EXPECT_EQ(machine_.next_deadline(now_), now_.steady + 60s);
  pass(60s);
  EXPECT_TRUE(take(fcm_));
}

TEST_F(Machine, AWrongKeyInFirebaseStopsOnlyItsPhones) {
  platform_ = Platform::Fcm;
  submit(1, 1);
  submit(2, 2);
  answer(take(fcm_), answer_of(Verdict::ChannelDown, "THIRD_PARTY_AUTH_ERROR", Reaction::ThisTargetOnly));
  EXPECT_TRUE(machine_.status()[fcm_].is_ready);
  EXPECT_TRUE(take(fcm_));
}

TEST_F(Machine, AStormOfDeadTokensIsNotBelieved) {
  const Answer dead = answer_of(Verdict::RemoveToken, "DeviceTokenNotForTopic");
  for (int phone = 1; phone <= 20; ++phone) {
    submit(phone, phone);
    answer(take(), dead);
  }
  for (const Resolution& resolution : resolutions()) EXPECT_TRUE(resolution.token_removal);
  submit(21, 21);
  answer(take(), dead);
  EXPECT_TRUE(resolutions().empty());
  EXPECT_FALSE(machine_.status()[production_].is_ready);
  pass(60s);
  answer(take(), dead);
  EXPECT_TRUE(resolutions().empty()) << "a probe must not remove tokens either";
}

TEST_F(Machine, DeadTokensAmongManyLivingAreRemoved) {
  for (int phone = 1; phone <= 30; ++phone) {
    for (int living = 0; living < 3; ++living) {
      submit(1000 + phone * 3 + living, 1000 + phone);
      answer(take(), answer_of(Verdict::Accepted));
    }
    submit(phone, phone);
    answer(take(), answer_of(Verdict::RemoveToken, "Unregistered"));
  }
  EXPECT_TRUE(machine_.status()[production_].is_ready);
}

TEST_F(Machine, AnUnknownAppFailsAndNamesWhatIsMissing) {
  Notification foreign = notification(1);
  foreign.token.app_id = "com.example.other";
  machine_.submit(foreign, now_);
  const DispatchEffects effects = machine_.take_effects();
  ASSERT_EQ(effects.resolutions.size(), 1U);
  EXPECT_EQ(effects.resolutions[0].kind, Kind::Failed);
  EXPECT_THAT(effects.resolutions[0].reason, HasSubstr("[[push.app]]"));
  EXPECT_THAT(effects.resolutions[0].reason, HasSubstr("com.example.other"));
  EXPECT_EQ(effects.log.size(), 1U);
}

TEST_F(Machine, MemoryIsBounded) {
  for (int phone = 1; phone <= 40; ++phone) submit(phone, phone);
  EXPECT_TRUE(resolutions().empty());
  submit(41, 41);
  const Resolution released = only_resolution();
  EXPECT_EQ(released.kind, Kind::Released);
  EXPECT_GT(released.due_at, kAt);
  platform_ = Platform::Fcm;
  for (int phone = 1; phone <= 10; ++phone) submit(100 + phone, phone);
  EXPECT_TRUE(resolutions().empty());
  submit(111, 11);
  EXPECT_EQ(only_resolution().kind, Kind::Released);
}

TEST_F(Machine, SilentPushesAreOneIn20MinutesAndTheNewestWins) {
  entry_.push.style = broker::PushStyle::Silent;
  submit(1);
  answer(take(), answer_of(Verdict::Accepted));
  submit(2);
  EXPECT_FALSE(take());
  submit(3);
  const auto done = resolutions();
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(done[1].kind, Kind::Cancelled);
  EXPECT_EQ(done[1].key.message_id.value, 2);
  EXPECT_FALSE(take());
  pass(20min);
  const auto send = machine_.next(production_, now_);
  ASSERT_TRUE(send);
  EXPECT_EQ(send->notification->key.message_id.value, 3);
}

TEST_F(Machine, ARepeatDoesNotReplaceWhatIsNewer) {
  entry_.push.collapse = "door";
  submit(1);
  const auto older = take();
  submit(2);
  answer(take(), answer_of(Verdict::Accepted));
  submit(3);
  answer(older, answer_of(Verdict::Retry, "InternalServerError"));
  const auto done = resolutions();
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(done[1].kind, Kind::Cancelled);
  EXPECT_EQ(done[1].key.message_id.value, 1);
}

TEST_F(Machine, ANewerOneReplacesTheOneThatWaitsForItsRetry) {
  entry_.push.collapse = "door";
  submit(1);
  answer(take(), answer_of(Verdict::Retry, "InternalServerError"));
  submit(2);
  const auto done = resolutions();
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(done[1].kind, Kind::Cancelled);
  EXPECT_EQ(done[1].key.message_id.value, 1);
}

TEST_F(Machine, ATestAnswersTheVerdictAndLeavesTheOutboxAlone) {
  const Ticket test = machine_.submit_test(notification(1), now_);
  answer(take(), answer_of(Verdict::RemoveToken, "Unregistered"));
  const DispatchEffects effects = machine_.take_effects();
  EXPECT_TRUE(effects.resolutions.empty());
  ASSERT_EQ(effects.tests.size(), 1U);
  EXPECT_EQ(effects.tests[0].first, test);
  EXPECT_EQ(effects.tests[0].second.reason, "Unregistered");
}

TEST_F(Machine, ATestThatCannotBeSentSaysWhyInTime) {
  machine_.submit_test(notification(1), now_);
  machine_.on_trouble(production_, "connect: refused");
  pass(20s);
  const DispatchEffects effects = machine_.take_effects();
  ASSERT_EQ(effects.tests.size(), 1U);
  EXPECT_THAT(effects.tests[0].second.reason, HasSubstr("connect: refused"));
}

TEST_F(Machine, StoppingReleasesEverythingAndCountsWhatIsInTheAir) {
  submit(1, 1);
  submit(2, 2);
  take();
  machine_.give_back_all(now_);
  const auto all = resolutions();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].kind, Kind::Released);
  EXPECT_EQ(all[0].attempt_count, 1);
  EXPECT_EQ(all[1].attempt_count, 0);
  EXPECT_EQ(machine_.in_memory(), 0U);
}

TEST_F(Machine, ClosingAChannelFailsWhatWaits) {
  submit(1, 1);
  submit(2, 2);
  const auto ticket = take();
  machine_.close_channel(production_, now_);
  EXPECT_EQ(only_resolution().kind, Kind::Failed);
  answer(ticket, answer_of(Verdict::Retry, "InternalServerError"));
  EXPECT_EQ(only_resolution().kind, Kind::Failed);
}

TEST_F(Machine, CountsAnswersByReason) {
  submit(1);
  answer(take(), answer_of(Verdict::Accepted));
  submit(2);
  answer(take(), answer_of(Verdict::Accepted));
  EXPECT_EQ(machine_.status()[production_].answers.at({Verdict::Accepted, ""}), 2U);
}

}  // namespace
}  // namespace wake::push
