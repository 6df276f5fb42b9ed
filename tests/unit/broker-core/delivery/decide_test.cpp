#include "broker-core/delivery/decide.hpp"

#include <sstream>

#include <gtest/gtest.h>

namespace wake::broker {
namespace {

using namespace std::chrono_literals;
using M = MqttAction;
using P = PushAction;
using R = Reason;
using S = PhoneState;
using T = Trigger;

const Now kNow{SteadyTime(1000s), UtcTime(1'800'000'000s)};

/// The facts of an ordinary message to an ordinary phone, for a test to change one of.
struct Case {
  Trigger trigger = T::Published;
  MessageFacts message;
  EntryFacts entry;
  PhoneFacts phone{.state = S::Foreground, .has_token = true, .ack_timeout = 7s};
  Decision operator()() const { return decide(trigger, message, entry, phone, kNow); }
};

Case case_of(Trigger trigger, PushMode mode, PhoneState state) {
  Case made;
  made.trigger = trigger;
  made.entry.mode = mode;
  made.phone.state = state;
  return made;
}

TEST(Decide, FollowsTheTableOfModesAndStates) {
  struct Row {
    PushMode mode;
    PhoneState state;
    Decision expected;
  };
  const Row rows[] = {
      // contract §2.2, row by row
      {PushMode::Fallback, S::Foreground, {M::SendNow, P::AtAckDeadline, R::Foreground, 7s}},
      {PushMode::Fallback, S::Background, {M::Hold, P::Now, R::Background}},
      {PushMode::Fallback, S::Offline, {M::Hold, P::Now, R::Offline}},
      {PushMode::Always, S::Foreground, {M::SendNow, P::Now, R::Always}},
      {PushMode::Always, S::Background, {M::SendNow, P::Now, R::Always}},
      {PushMode::Always, S::Offline, {M::Hold, P::Now, R::Always}},
      {PushMode::Never, S::Foreground, {M::SendNow, P::None, R::Never}},
      {PushMode::Never, S::Background, {M::SendNow, P::None, R::Never}},
      {PushMode::Never, S::Offline, {M::Hold, P::None, R::Never}},
      // contract §2.3: suspect is treated as background
      {PushMode::Fallback, S::Suspect, {M::Hold, P::Now, R::Suspect}},
      {PushMode::Always, S::Suspect, {M::SendNow, P::Now, R::Always}},
      {PushMode::Never, S::Suspect, {M::SendNow, P::None, R::Never}},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(case_of(T::Published, row.mode, row.state)(), row.expected)
        << "mode " << static_cast<int>(row.mode) << ", " << to_string(row.state);
  }
}

TEST(Decide, AMissedAckDeadlinePushes) {
  EXPECT_EQ(case_of(T::AckTimedOut, PushMode::Fallback, S::Foreground)(),
            (Decision{M::None, P::Now, R::AckTimedOut}));
  EXPECT_EQ(case_of(T::AckTimedOut, PushMode::Fallback, S::Offline)(),
            (Decision{M::None, P::Now, R::AckTimedOut}));
  EXPECT_EQ(case_of(T::AckTimedOut, PushMode::Never, S::Foreground)(),
            (Decision{M::None, P::None, R::Never}));
}

TEST(Decide, AckBeforePushLeavesCancelsIt) {
  Case acknowledged = case_of(T::Acknowledged, PushMode::Fallback, S::Foreground);
  EXPECT_EQ(acknowledged(), (Decision{M::None, P::Cancel, R::Acknowledged}));
  acknowledged.message.is_notified = true;  // decided, and perhaps still in the outbox
  EXPECT_EQ(acknowledged(), (Decision{M::None, P::Cancel, R::Acknowledged}));
}

TEST(Decide, AckDoesNotTakeAwayThePushThatModeAlwaysAsksFor) {
  EXPECT_EQ(case_of(T::Acknowledged, PushMode::Always, S::Foreground)(),
            (Decision{M::None, P::None, R::Acknowledged}));
}

TEST(Decide, GoingToBackgroundPushesWhatIsUnacknowledged) {
  EXPECT_EQ(case_of(T::WentBackground, PushMode::Fallback, S::Background)(),
            (Decision{M::None, P::Now, R::WentBackground}));
  EXPECT_EQ(case_of(T::WentBackground, PushMode::Never, S::Background)(),
            (Decision{M::None, P::None, R::Never}));
}

TEST(Decide, GoingOfflineGivesTheReconnectASecond) {
  for (const PushMode mode : {PushMode::Fallback, PushMode::Always}) {
    EXPECT_EQ(case_of(T::WentOffline, mode, S::Offline)(),
              (Decision{M::Hold, P::AtAckDeadline, R::WentOffline, 1s}));
  }
  EXPECT_EQ(case_of(T::WentOffline, PushMode::Never, S::Offline)(), (Decision{M::Hold, P::None, R::Never}));
}

TEST(Decide, AReturnedPhoneIsOfferedMqttFirst) {
  EXPECT_EQ(case_of(T::Returned, PushMode::Fallback, S::Foreground)(),
            (Decision{M::SendNow, P::AtAckDeadline, R::Returned, 7s}));
  EXPECT_EQ(case_of(T::Returned, PushMode::Always, S::Foreground)(),
            (Decision{M::SendNow, P::Now, R::Always}));
  EXPECT_EQ(case_of(T::Returned, PushMode::Never, S::Foreground)(),
            (Decision{M::SendNow, P::None, R::Never}));
}

TEST(Decide, OnceNotifiedThereIsNeverAnotherPush) {
  for (const Trigger trigger :
       {T::Published, T::AckTimedOut, T::WentBackground, T::WentOffline, T::Returned}) {
    for (const PushMode mode : {PushMode::Fallback, PushMode::Always, PushMode::Never}) {
      for (const PhoneState state : {S::Foreground, S::Background, S::Suspect, S::Offline}) {
        Case again = case_of(trigger, mode, state);
        const MqttAction mqtt = again().mqtt;
        again.message.is_notified = true;
        EXPECT_EQ(again().push, P::None) << again();
        EXPECT_EQ(again().mqtt, mqtt) << "MQTT still delivers: " << again();
      }
    }
  }
  Case returned = case_of(T::Returned, PushMode::Fallback, S::Foreground);
  returned.message.is_notified = true;
  EXPECT_EQ(returned(), (Decision{M::SendNow, P::None, R::AlreadyNotified}));
}

TEST(Decide, AnAcknowledgedMessageIsLeftAloneWhateverComesLate) {
  for (const Trigger trigger : {T::AckTimedOut, T::WentBackground, T::WentOffline, T::Returned}) {
    Case late = case_of(trigger, PushMode::Fallback, S::Foreground);
    late.message.is_acknowledged = true;
    EXPECT_EQ(late(), (Decision{M::None, P::None, R::Acknowledged}));
  }
}

TEST(Decide, AnExpiredMessageIsNeitherSentNorPushed) {
  Case expiring = case_of(T::Published, PushMode::Always, S::Foreground);
  expiring.message.expires_at = kNow.utc + 1us;
  EXPECT_EQ(expiring().push, P::Now);
  expiring.message.expires_at = kNow.utc;
  EXPECT_EQ(expiring(), (Decision{M::None, P::None, R::Expired}));
}

TEST(Decide, WithoutATokenThereIsNoPush) {
  Case tokenless = case_of(T::Published, PushMode::Fallback, S::Offline);
  tokenless.phone.has_token = false;
  EXPECT_EQ(tokenless(), (Decision{M::Hold, P::None, R::NoToken}));
  tokenless.phone.state = S::Foreground;
  EXPECT_EQ(tokenless(), (Decision{M::SendNow, P::None, R::NoToken}));
}

TEST(Decide, QuietHoursWithholdThePushAndNothingElse) {
  Case quiet = case_of(T::Published, PushMode::Fallback, S::Offline);
  quiet.entry.is_quiet_now = true;
  EXPECT_EQ(quiet(), (Decision{M::Hold, P::None, R::QuietHours}));
  quiet.phone.state = S::Foreground;
  EXPECT_EQ(quiet().push, P::AtAckDeadline) << "asked again when the push would leave";
  quiet.trigger = T::AckTimedOut;
  EXPECT_EQ(quiet(), (Decision{M::None, P::None, R::QuietHours}));
}

TEST(Decide, MinIntervalIsKeptBetweenNotifications) {
  Case frequent = case_of(T::Published, PushMode::Fallback, S::Offline);
  frequent.entry.min_interval = 60s;
  EXPECT_EQ(frequent().push, P::Now) << "the first ever";
  frequent.phone.last_notified_at = kNow.steady - 60s + 1ns;
  EXPECT_EQ(frequent(), (Decision{M::Hold, P::None, R::MinInterval}));
  frequent.phone.last_notified_at = kNow.steady - 60s;
  EXPECT_EQ(frequent().push, P::Now);
  frequent.phone.last_notified_at = kNow.steady;
  frequent.entry.min_interval = 0s;
  EXPECT_EQ(frequent().push, P::Now);
  frequent.entry.min_interval = 60s;
  frequent.phone.state = S::Foreground;
  EXPECT_EQ(frequent().push, P::AtAckDeadline) << "asked again when the push would leave";
}

TEST(Decide, PrintsItselfForTheTrace) {
  std::ostringstream out;
  out << case_of(T::Published, PushMode::Fallback, S::Foreground)();
  EXPECT_EQ(out.str(), "{mqtt send_now, push at_ack_deadline, foreground, after 7000 ms}");
}

TEST(Decide, EveryReasonHasAWordOfItsOwn) {
  std::string_view before;
  for (int value = 0; value <= static_cast<int>(R::MinInterval); ++value) {
    const std::string_view word = to_string(static_cast<Reason>(value));
    EXPECT_FALSE(word.empty()) << value;
    EXPECT_NE(word, before);
    before = word;
  }
}

}  // namespace
}  // namespace wake::broker
