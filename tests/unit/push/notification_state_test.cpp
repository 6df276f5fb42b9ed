#include "push/notification_state.hpp"

#include <gtest/gtest.h>

namespace wake::push {
namespace {

TEST(NotificationStates, NothingLeavesGone) {
  for (const NotificationStep& step : kNotificationSteps) EXPECT_NE(step.from, NotificationState::Gone);
}

TEST(NotificationStates, OnlyTakenPutsItInTheAir) {
  for (const NotificationStep& step : kNotificationSteps) {
    EXPECT_EQ(step.to == NotificationState::InFlight, step.event == NotificationEvent::Taken);
  }
  EXPECT_FALSE(next_state(NotificationState::InFlight, NotificationEvent::Taken)) << "never twice";
  EXPECT_FALSE(next_state(NotificationState::Delayed, NotificationEvent::Taken));
}

TEST(NotificationStates, NoPairIsListedTwice) {
  for (const NotificationStep& a : kNotificationSteps) {
    int count = 0;
    for (const NotificationStep& b : kNotificationSteps) count += a.from == b.from && a.event == b.event;
    EXPECT_EQ(count, 1);
  }
}

}  // namespace
}  // namespace wake::push
