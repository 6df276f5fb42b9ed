#include "push/dispatch_machine.hpp"

#include "dispatch_fixture.hpp"

namespace wake::push::testing_support {
namespace {

using testing::HasSubstr;

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

TEST_F(Machine, WhatWaitsForAPhoneThatChangedIsGivenBack) {
  submit(1);
  submit(2, 8);
  submit(3);
  answer(take(), answer_of(Verdict::Retry, "InternalServerError"));
  resolutions();
  machine_.recall({7}, now_);
  const auto given_back = resolutions();
  ASSERT_EQ(given_back.size(), 2U);
  EXPECT_EQ(given_back[0].kind, Kind::Released);
  EXPECT_EQ(given_back[0].key.message_id.value, 1);
  EXPECT_EQ(given_back[0].due_at, kAt + 5s) << "a retry keeps its time";
  EXPECT_EQ(given_back[0].attempt_count, 1);
  EXPECT_EQ(given_back[1].key.message_id.value, 3);
  EXPECT_EQ(given_back[1].due_at, kAt + 5s) << "and is not overtaken";
  ASSERT_TRUE(take()) << "the other phone's goes its way";
  EXPECT_FALSE(take());
  EXPECT_EQ(machine_.in_memory(), 1U);
}

TEST_F(Machine, AChangeInTheAirGivesBackRatherThanRepeats) {
  for (const Verdict verdict : {Verdict::Retry, Verdict::RemoveToken, Verdict::HoldDevice}) {
    submit(1);
    const auto ticket = take();
    machine_.recall({7}, now_);
    EXPECT_TRUE(resolutions().empty());
    answer(ticket, answer_of(verdict, "Unregistered"));
    const Resolution resolution = only_resolution();
    EXPECT_EQ(resolution.kind, Kind::Released);
    EXPECT_FALSE(resolution.token_removal) << "the token that is dead is no longer this phone's";
  }
  submit(1);
  const auto ticket = take();
  machine_.recall({7}, now_);
  answer(ticket, answer_of(Verdict::Accepted));
  EXPECT_EQ(only_resolution().kind, Kind::Sent);
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

}  // namespace
}  // namespace wake::push::testing_support
