#include "dispatch_fixture.hpp"

namespace wake::push::testing_support {
namespace {

// Contract §2.6: order per publisher and topic for each receiver; retries never overtake, nor are they
// overtaken.
class Order : public Machine {
 protected:
  void submit_on(const std::string& topic, std::int64_t message, std::int64_t phone = 7) {
    Notification one = notification(message, phone);
    auto record = std::make_shared<broker::MessageRecord>(*one.message);
    record->topic = topic;
    one.message = std::move(record);
    machine_.submit(std::move(one), now_);
  }
  /// What leaves now, each taken and accepted.
  std::vector<std::int64_t> drain() {
    std::vector<std::int64_t> left;
    while (const auto send = machine_.next(production_, now_)) {
      left.push_back(send->notification->key.message_id.value);
      machine_.on_answer(send->ticket, answer_of(Verdict::Accepted), now_);
    }
    return left;
  }
  static Answer unavailable(std::optional<std::chrono::seconds> retry_after = std::nullopt) {
    Answer answer = answer_of(Verdict::Retry, "ServiceUnavailable");
    answer.retry_after = retry_after;
    return answer;
  }
};
using Ids = std::vector<std::int64_t>;

TEST_F(Order, WhatComesAfterARetryWaitsForIt) {
  submit(1);
  submit(2);
  answer(take(), unavailable());
  submit(3);
  EXPECT_FALSE(take()) << "2 and 3 would be on the screen before 1";
  pass(5s);
  EXPECT_EQ(drain(), (Ids{1, 2, 3}));
  EXPECT_EQ(machine_.in_memory(), 0U);
}

TEST_F(Order, WhatComesAfterAnUnknownOutcomeWaitsForIt) {
  submit(1);
  const auto first = take();
  submit(2);
  EXPECT_FALSE(take());
  answer(first, answer_lost("read: end of file"));
  EXPECT_FALSE(take());
  pass(5s);
  EXPECT_EQ(drain(), (Ids{1, 2}));
}

TEST_F(Order, WhatComesAfterAHoldWaitsForIt) {
  submit(1);
  answer(take(), answer_of(Verdict::HoldDevice, "TooManyRequests"));
  submit(2);
  pass(29s);
  EXPECT_FALSE(take());
  pass(1s);
  EXPECT_EQ(drain(), (Ids{1, 2}));
}

TEST_F(Order, OtherTopicsAndOtherPhonesAreNotDelayed) {
  submit_on("door", 1);
  answer(take(), unavailable());
  submit_on("door", 2);
  submit_on("garden", 3);
  submit_on("door", 4, 8);
  EXPECT_EQ(drain(), (Ids{3, 4}));
}

TEST_F(Order, ASilentPushIsNotDelayed) {
  submit(1);
  answer(take(), unavailable());
  entry_.push.style = broker::PushStyle::Silent;
  submit(2);
  EXPECT_EQ(drain(), (Ids{2}));
}

TEST_F(Order, TheNextLeavesWhenTheOneBeforeIsOver) {
  const Answer endings[] = {answer_of(Verdict::Accepted), answer_of(Verdict::DropMessage, "BadPriority"),
                            answer_of(Verdict::RemoveToken, "DeviceTokenNotForTopic")};
  std::int64_t message = 0;
  for (const Answer& ending : endings) {
    submit(++message);
    submit(++message);
    answer(take(), ending);
    EXPECT_EQ(drain(), (Ids{message}));
  }
  submit(++message);
  answer(take(), unavailable());
  submit(++message);
  machine_.cancel({{message - 1}, {7}}, now_);
  EXPECT_EQ(drain(), (Ids{message})) << "acknowledged while it waited for its retry";
}

TEST_F(Order, AnExpiredOneHoldsUpNobodyAnyMore) {
  Notification brief = notification(1);
  brief.expires_at = kAt + 6s;
  machine_.submit(brief, now_);
  answer(take(), unavailable());
  submit(2);
  pass(5s);
  const auto again = take();
  pass(1s);
  answer(again, unavailable());
  EXPECT_EQ(resolutions().back().kind, Kind::Expired);
  EXPECT_EQ(drain(), (Ids{2}));
}

TEST_F(Order, ThoseThatWaitMayEndInAnyOrder) {
  for (int message = 1; message <= 4; ++message) submit(message);
  const auto first = take();
  machine_.cancel({{3}, {7}}, now_);
  answer(first, answer_of(Verdict::Accepted));
  EXPECT_EQ(drain(), (Ids{2, 4}));
}

TEST_F(Order, ALateRetryTakesThoseBehindItAlongAndWhatComesMeanwhileFollows) {
  submit(1);
  submit(2);
  resolutions();
  answer(take(), unavailable(200s));
  auto given_back = resolutions();
  ASSERT_EQ(given_back.size(), 2U);
  submit(3);
  given_back.push_back(only_resolution());
  for (std::size_t i = 0; i < given_back.size(); ++i) {
    EXPECT_EQ(given_back[i].key.message_id.value, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(given_back[i].kind, Kind::Released);
    EXPECT_EQ(given_back[i].due_at, kAt + 200s) << "so that the outbox returns them in order";
  }
  EXPECT_EQ(machine_.in_memory(), 0U);
  submit_on("garden", 9);
  EXPECT_EQ(drain(), (Ids{9}));
}

TEST_F(Order, WhatTheOutboxReturnsGoesBeforeWhatIsNew) {
  submit(1);
  answer(take(), unavailable(200s));
  submit(2);
  resolutions();
  pass(200s);
  submit(3);
  EXPECT_EQ(only_resolution().due_at, now_.utc) << "the outbox has not returned the others yet";
  submit(1);
  submit(2);
  EXPECT_EQ(drain(), (Ids{1, 2}));
  resolutions();
  submit(4);
  EXPECT_EQ(only_resolution().kind, Kind::Released) << "3 is still there";
  submit(3);
  submit(4);
  submit(5);
  EXPECT_EQ(drain(), (Ids{3, 4, 5})) << "all is back: nothing takes that way any more";
}

TEST_F(Order, WhatNeverReturnsIsNotWaitedForWithoutEnd) {
  submit(1);
  answer(take(), unavailable(200s));
  pass(200s + 59s);
  resolutions();
  submit(2);
  EXPECT_EQ(only_resolution().kind, Kind::Released);
  pass(60s);
  submit(3);
  EXPECT_EQ(drain(), (Ids{3}));
}

TEST_F(Order, WhatWasCancelledInTheOutboxIsNotWaitedFor) {
  submit(1);
  submit(2);
  answer(take(), unavailable(200s));
  resolutions();
  machine_.cancel({{2}, {7}}, now_);
  submit(3);
  EXPECT_EQ(only_resolution().due_at, kAt + 200s) << "1 is still there";
  machine_.cancel({{3}, {7}}, now_);
  machine_.cancel({{1}, {8}}, now_);
  EXPECT_EQ(machine_.lanes(), 1U) << "of another phone";
  machine_.cancel({{1}, {7}}, now_);
  EXPECT_EQ(machine_.lanes(), 0U);
  submit(4);
  EXPECT_EQ(drain(), (Ids{4}));
}

TEST_F(Order, WhatReturnsOnlyToExpireIsNotWaitedFor) {
  submit(1);
  answer(take(), unavailable(200s));
  submit(2);
  pass(200s);
  resolutions();
  Notification late = notification(2);
  late.expires_at = now_.utc;
  submit(1);
  EXPECT_EQ(drain(), (Ids{1}));
  machine_.submit(late, now_);
  submit(3);
  EXPECT_EQ(drain(), (Ids{3}));
}

TEST_F(Order, WhatEndedWithItsTokenIsNotWaitedFor) {
  submit_on("door", 1);
  answer(take(), unavailable(200s));
  submit_on("garden", 2);
  answer(take(), answer_of(Verdict::RemoveToken, "Unregistered"));
  submit_on("door", 3);
  EXPECT_EQ(drain(), (Ids{3})) << "registered anew";
}

TEST_F(Order, OfManyThatWentBackTheNewestCount) {
  submit(1);
  answer(take(), unavailable(200s));
  for (int message = 2; message <= 1000; ++message) submit(message);
  for (int message = 700; message <= 999; ++message) machine_.cancel({{message}, {7}}, now_);
  EXPECT_EQ(machine_.lanes(), 1U);
  machine_.cancel({{1000}, {7}}, now_);
  EXPECT_EQ(machine_.lanes(), 0U);
}

TEST_F(Order, AStopKeepsThePlaceOfARetry) {
  submit(1);
  answer(take(), unavailable());
  submit(2);
  resolutions();
  machine_.give_back_all(now_);
  const auto given_back = resolutions();
  ASSERT_EQ(given_back.size(), 2U);
  EXPECT_EQ(given_back[0].due_at, kAt + 5s);
  EXPECT_EQ(given_back[1].due_at, kAt + 5s) << "or the next process would send it first";
}

TEST_F(Order, NothingIsKeptOfPhonesThatAreDone) {
  for (std::int64_t message = 1; message <= 5000; ++message) {
    submit(message, message);
    answer(take(), message % 2 == 0 ? answer_of(Verdict::Accepted) : unavailable(200s));
    resolutions();
  }
  EXPECT_EQ(machine_.in_memory(), 0U);
  EXPECT_EQ(machine_.lanes(), 2500U) << "of those in the outbox, until they return";
  pass(24h);
  submit(6000, 6000);
  pass(1s);
  EXPECT_LE(machine_.lanes(), 1U);
}

// A restart: rows of before come back by themselves, new messages right away.
TEST_F(Order, WhatAFormerProcessLeftIsNotOvertaken) {
  machine_.expect({{{{2}, {7}}, "door", kAt + 5s}, {{{1}, {7}}, "door", kAt - 1h}}, now_);
  submit_on("door", 3);
  submit_on("garden", 4);
  submit_on("door", 5, 8);
  EXPECT_EQ(drain(), (Ids{4, 5}));
  const Resolution back = resolutions().front();
  EXPECT_EQ(back.kind, Kind::Released);
  EXPECT_EQ(back.due_at, kAt + 5s) << "together with the last of those it follows";
  pass(5s);
  for (int message = 1; message <= 3; ++message) submit_on("door", message);
  EXPECT_EQ(drain(), (Ids{1, 2, 3}));
}

TEST_F(Order, WhatAFormerProcessLeftHoldsUpNobodyOnceItIsCancelledOrDoesNotCome) {
  machine_.expect({{{{1}, {7}}, "door", kAt - 1h}, {{{2}, {8}}, "door", kAt - 1h}}, now_);
  machine_.cancel({{1}, {7}}, now_);
  submit_on("door", 3);
  EXPECT_EQ(drain(), (Ids{3}));
  submit_on("door", 4, 8);
  EXPECT_EQ(drain(), (Ids{}));
  pass(61s);  // another node has it, or it was removed
  submit_on("door", 4, 8);
  EXPECT_EQ(drain(), (Ids{4}));
}

}  // namespace
}  // namespace wake::push::testing_support
