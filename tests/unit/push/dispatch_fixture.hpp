// The dispatcher's machine with both APNs hosts and FCM, and a clock that only the test moves.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "push/dispatch_machine.hpp"
#include "push/retry_policy.hpp"

namespace wake::push::testing_support {

using broker::Environment;
using broker::Platform;
using Kind = Resolution::Kind;
using namespace std::chrono_literals;

inline Answer answer_of(Verdict verdict, std::string reason = "", Reaction reaction = Reaction::None) {
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

}  // namespace wake::push::testing_support
