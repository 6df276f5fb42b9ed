#include "dispatch_fixture.hpp"
#include "push/dispatch_machine.hpp"

namespace wake::push::testing_support {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Channels : public Machine {};

TEST_F(Channels, RefreshOnceThenChannelDown) {
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

TEST_F(Channels, AChannelThatIsDownKeepsEverythingAndProbesOnceAMinute) {
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

TEST_F(Channels, OneChannelDownDoesNotStopTheOther) {
  submit(1);
  answer(take(), answer_of(Verdict::ChannelDown, "BadTopic"));
  platform_ = Platform::Fcm;
  submit(2, 8);
  EXPECT_TRUE(take(fcm_));
}

TEST_F(Channels, WhatADownChannelCannotKeepAtHandIsGivenBack) {
  for (int phone = 1; phone <= 6; ++phone) submit(phone, phone);
  answer(take(), answer_of(Verdict::ChannelDown, "BadTopic"));
  const auto released = resolutions();
  ASSERT_EQ(released.size(), 2U);  // 6 less the one in the air less 3 kept
  EXPECT_EQ(released[0].kind, Kind::Released);
  EXPECT_EQ(released[0].due_at, kAt + 60s);
  submit(9, 9);
  EXPECT_EQ(only_resolution().kind, Kind::Released);
}

TEST_F(Channels, ReopeningAChannelResumesAtOnce) {
  submit(1);
  answer(take(), answer_of(Verdict::ChannelDown, "BadTopic"));
  machine_.open_channel({"com.example.cam", Platform::Apns, Environment::Production}, now_);
  EXPECT_TRUE(take());
}

TEST_F(Channels, ARefusedCredentialIsProbedAsSoonAsAnotherIsThere) {
  submit(1);
  machine_.on_refused(production_, "invalid_grant", now_);
  EXPECT_FALSE(take());
  machine_.on_recovered(production_, now_);
  answer(take(), answer_of(Verdict::Accepted));
  EXPECT_TRUE(machine_.status()[production_].is_ready);
}

TEST_F(Channels, HoldRestsThePhoneAndNobodyElse) {
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

TEST_F(Channels, ProjectQuotaHoldsTheWholeApp) {
  platform_ = Platform::Fcm;
  submit(1, 1);
  submit(2, 2);
  answer(take(fcm_), answer_of(Verdict::Retry, "QUOTA_EXCEEDED", Reaction::WholeApp));
  EXPECT_FALSE(take(fcm_));
  EXPECT_EQ(machine_.next_deadline(now_), now_.steady + 60s);
  pass(60s);
  EXPECT_TRUE(take(fcm_));
}

TEST_F(Channels, AWrongKeyInFirebaseStopsOnlyItsPhones) {
  platform_ = Platform::Fcm;
  submit(1, 1);
  submit(2, 2);
  answer(take(fcm_), answer_of(Verdict::ChannelDown, "THIRD_PARTY_AUTH_ERROR", Reaction::ThisTargetOnly));
  EXPECT_TRUE(machine_.status()[fcm_].is_ready);
  EXPECT_TRUE(take(fcm_));
}

TEST_F(Channels, AStormOfDeadTokensIsNotBelieved) {
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

TEST_F(Channels, DeadTokensAmongManyLivingAreRemoved) {
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

TEST_F(Channels, AnUnknownAppFailsAndNamesWhatIsMissing) {
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

TEST_F(Channels, MemoryIsBounded) {
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

TEST_F(Channels, SilentPushesAreOneIn20MinutesAndTheNewestWins) {
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

TEST_F(Channels, ARepeatDoesNotReplaceWhatIsNewer) {
  entry_.push.collapse = "door";
  submit(1);
  const auto older = take();
  submit(2);
  answer(older, answer_of(Verdict::Retry, "InternalServerError"));
  const Resolution replaced = only_resolution();
  EXPECT_EQ(replaced.kind, Kind::Cancelled);
  EXPECT_EQ(replaced.key.message_id.value, 1);
  answer(take(), answer_of(Verdict::Accepted));
  EXPECT_EQ(only_resolution().key.message_id.value, 2) << "which does not wait for the one that it replaced";
}

TEST_F(Channels, ANewerOneReplacesTheOneThatWaitsForItsRetry) {
  entry_.push.collapse = "door";
  submit(1);
  answer(take(), answer_of(Verdict::Retry, "InternalServerError"));
  submit(2);
  const auto done = resolutions();
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(done[1].kind, Kind::Cancelled);
  EXPECT_EQ(done[1].key.message_id.value, 1);
}

TEST_F(Channels, ATestAnswersTheVerdictAndLeavesTheOutboxAlone) {
  const Ticket test = machine_.submit_test(notification(1), now_);
  answer(take(), answer_of(Verdict::RemoveToken, "Unregistered"));
  const DispatchEffects effects = machine_.take_effects();
  EXPECT_TRUE(effects.resolutions.empty());
  ASSERT_EQ(effects.tests.size(), 1U);
  EXPECT_EQ(effects.tests[0].first, test);
  EXPECT_EQ(effects.tests[0].second.reason, "Unregistered");
}

TEST_F(Channels, ATestOfAProviderOutOfReachIsAnsweredAsSoonAsThatIsKnown) {
  machine_.on_trouble(production_, "a:443: connect: refused");
  machine_.submit_test(notification(1), now_);
  EXPECT_TRUE(machine_.take_effects().tests.empty()) << "it may have been a while ago";
  machine_.on_trouble(production_, "a:443: connect: refused");
  DispatchEffects effects = machine_.take_effects();
  ASSERT_EQ(effects.tests.size(), 1U);
  EXPECT_EQ(effects.tests[0].second.verdict, Verdict::Retry);
  EXPECT_EQ(effects.tests[0].second.status, 0);
  EXPECT_EQ(effects.tests[0].second.reason, "a:443: connect: refused");
  machine_.submit_test(notification(2), now_);
  pass(20s);
  effects = machine_.take_effects();
  ASSERT_EQ(effects.tests.size(), 1U) << "the next try is not waited for without end";
  EXPECT_EQ(effects.tests[0].second.reason, "a:443: connect: refused");
  EXPECT_EQ(machine_.in_memory(), 0U);
}

TEST_F(Channels, ATestOfRefusedCredentialsSaysSoAtOnce) {
  machine_.submit_test(notification(1), now_);
  machine_.on_refused(production_, "HTTP 400 invalid_grant", now_);
  const DispatchEffects effects = machine_.take_effects();
  ASSERT_EQ(effects.tests.size(), 1U);
  EXPECT_EQ(effects.tests[0].second.verdict, Verdict::ChannelDown);
  EXPECT_EQ(effects.tests[0].second.reason, "HTTP 400 invalid_grant");
}

TEST_F(Channels, AProviderOutOfReachIsToldWithAdvice) {
  machine_.on_trouble(production_, "a:443: resolve: Host not found");
  EXPECT_THAT(machine_.take_effects().log.at(0).text, HasSubstr("DNS"));
  const ChannelStatus status = machine_.status()[production_];
  EXPECT_TRUE(status.is_ready);
  EXPECT_THAT(status.detail, AllOf(HasSubstr("a:443: resolve: Host not found"), HasSubstr("DNS")));
}

TEST_F(Channels, StoppingReleasesEverythingAndCountsWhatIsInTheAir) {
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

TEST_F(Channels, ClosingAChannelFailsWhatWaits) {
  submit(1, 1);
  submit(2, 2);
  const auto ticket = take();
  machine_.close_channel(production_, now_);
  EXPECT_EQ(only_resolution().kind, Kind::Failed);
  answer(ticket, answer_of(Verdict::Retry, "InternalServerError"));
  EXPECT_EQ(only_resolution().kind, Kind::Failed);
}

TEST_F(Channels, CountsAnswersByReason) {
  submit(1);
  answer(take(), answer_of(Verdict::Accepted));
  submit(2);
  answer(take(), answer_of(Verdict::Accepted));
  EXPECT_EQ(machine_.status()[production_].answers.at({Verdict::Accepted, ""}), 2U);
}

class PacedChannels : public Machine {
 protected:
  PacedChannels() : paced_(paced_limits(), [] { return 0.5; }) {
    channel_ = paced_.open_channel({"com.example.cam", Platform::Apns, Environment::Production}, now_);
  }
  static DispatchLimits paced_limits() {
    DispatchLimits limits;
    limits.per_second = 10;
    return limits;
  }
  int take_all() {
    int count = 0;
    while (paced_.next(channel_, now_)) ++count;
    return count;
  }
  DispatchMachine paced_;
  ChannelIndex channel_ = 0;
};

TEST_F(PacedChannels, OneMessageToManyPhonesLeavesAtTheConfiguredPace) {
  for (int phone = 1; phone <= 100; ++phone) paced_.submit(notification(1, phone), now_);
  int sent = take_all();
  EXPECT_LE(sent, 2);
  ASSERT_TRUE(paced_.next_deadline(now_)) << "the rest is not forgotten";
  for (int tenth = 0; tenth < 50; ++tenth) {
    now_.steady += 100ms;
    sent += take_all();
  }
  EXPECT_GE(sent, 50);
  EXPECT_LE(sent, 52);
}

}  // namespace
}  // namespace wake::push::testing_support
