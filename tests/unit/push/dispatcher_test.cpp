// The shell with a provider that answers what the test tells it to: threads, hand-over, stop and reload.
#include "push/dispatcher.hpp"

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "tests/support/memory_outbox.hpp"

namespace wake::push {
namespace {

using namespace std::chrono_literals;
using Kind = Resolution::Kind;
using tests::MemoryOutbox;
using Clock = std::chrono::steady_clock;

// Shared by every provider a dispatcher makes.
struct Script {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_mute = false;  // never answers
  std::vector<NotificationKey> sent;
  int made = 0;

  bool wait_for_sent(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 10s, [&] { return sent.size() >= count; });
  }
};

class FakeProvider final : public Provider {
 public:
  FakeProvider(EventLoop& loop, Script& script, ProviderEvents& events)
      : loop_(loop), script_(script), events_(events), alive_(std::make_shared<bool>(true)) {}
  void want() override {}
  std::size_t room() const override { return 10 - in_flight_; }
  std::size_t in_flight() const override { return in_flight_; }
  void send(Ticket ticket, const Notification& notification, const RenderOptions&) override {
    const std::scoped_lock lock(script_.mutex);
    script_.sent.push_back(notification.key);
    script_.changed.notify_all();
    ++in_flight_;
    if (script_.is_mute) return;
    loop_.post([this, ticket, alive = std::weak_ptr(alive_)] {
      if (alive.expired()) return;
      --in_flight_;
      events_.on_answer(ticket, Answer{});
    });
  }

 private:
  EventLoop& loop_;
  Script& script_;
  ProviderEvents& events_;
  std::shared_ptr<bool> alive_;
  std::size_t in_flight_ = 0;
};

class DispatcherShell : public testing::Test {
 protected:
  std::unique_ptr<Dispatcher> make() {
    DispatcherOptions options;
    options.make_provider = [this](EventLoop& loop, const AppOptions& app,
                                   ProviderEvents& events) -> std::unique_ptr<Provider> {
      if (app.key_file == "broken") throw std::runtime_error("broken: no such key");
      const std::scoped_lock lock(script_.mutex);
      ++script_.made;
      return std::make_unique<FakeProvider>(loop, script_, events);
    };
    return std::make_unique<Dispatcher>(apps_, std::move(options), outbox_,
                                        [](LogLevel, std::string_view, std::string_view) {});
  }
  static Notification notification(std::int64_t message) {
    testing_support::Parts parts;
    parts.message.id.value = message;
    parts.phone = 6 + message;  // one each, so that they leave side by side
    parts.message.at = EventLoop::now().utc;
    parts.message.expires_at = parts.message.at + 1h;
    return parts.make();
  }

  std::vector<AppOptions> apps_ = {[] {
    AppOptions app;
    app.id = "com.example.cam";
    return app;
  }()};
  Script script_;
  MemoryOutbox outbox_;
};

TEST_F(DispatcherShell, ResolvesEachOnceFromManyThreads) {
  const auto push = make();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 1; i <= 500; ++i) push->submit({notification(thread * 500 + i)});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(outbox_.wait_for_count(2000, [](const Resolution& r) { return r.kind == Kind::Sent; }));
  // What is resolved leaves memory a moment after the outbox has heard of it.
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (push->status().in_memory > 0 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_EQ(push->status().in_memory, 0U);
}

TEST_F(DispatcherShell, CancelFollowsItsSubmit) {
  script_.is_mute = true;
  const auto push = make();
  std::vector<Notification> batch;
  for (int i = 1; i <= 11; ++i) batch.push_back(notification(i));
  push->submit(batch);  // ten fit, the eleventh waits
  push->cancel(batch.back().key);
  const auto resolution = outbox_.wait_for(batch.back().key);
  ASSERT_TRUE(resolution);
  EXPECT_EQ(resolution->kind, Kind::Cancelled);
}

TEST_F(DispatcherShell, StopReleasesWhatWasNotAnswered) {
  script_.is_mute = true;
  const auto push = make();
  push->submit({notification(1)});
  ASSERT_TRUE(script_.wait_for_sent(1));
  push->stop(Clock::now() + 50ms);
  const auto all = outbox_.all();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].kind, Kind::Released);
  EXPECT_EQ(all[0].attempt_count, 1);
  push->submit({notification(2)});
  EXPECT_EQ(outbox_.all().size(), 2U) << "a late one is released too";
  EXPECT_EQ(push->status().in_memory, 0U);
}

TEST_F(DispatcherShell, StopWaitsForNobodyWhenNothingIsInTheAir) {
  const auto push = make();
  const auto begun = Clock::now();
  push->stop(begun + 1h);
  EXPECT_LT(Clock::now() - begun, 10s);
}

TEST_F(DispatcherShell, ABrokenEntryIsDownAndSaysWhyAndReloadRepairsIt) {
  apps_[0].key_file = "broken";
  const auto push = make();
  push->submit({notification(1)});
  const DispatcherStatus status = push->status();
  ASSERT_EQ(status.channels.size(), 1U);
  EXPECT_FALSE(status.channels[0].is_ready);
  EXPECT_NE(status.channels[0].detail.find("no such key"), std::string::npos);
  apps_[0].key_file.clear();
  push->reload(apps_);
  EXPECT_TRUE(outbox_.wait_for({{1}, {7}}, Kind::Sent));
}

TEST_F(DispatcherShell, ReloadMakesEveryProviderAnew) {
  const auto push = make();
  push->reload(apps_);
  push->submit({notification(1)});
  EXPECT_TRUE(outbox_.wait_for({{1}, {7}}, Kind::Sent));
  const std::scoped_lock lock(script_.mutex);
  EXPECT_EQ(script_.made, 2);
}

TEST_F(DispatcherShell, ATestIsAnswered) {
  const auto push = make();
  std::promise<TestResult> promise;
  push->test(notification(1), [&](TestResult result) { promise.set_value(std::move(result)); });
  auto future = promise.get_future();
  ASSERT_EQ(future.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(future.get().verdict, Verdict::Accepted);
  EXPECT_TRUE(outbox_.all().empty());
}

TEST_F(DispatcherShell, ATestAfterStopIsAnsweredToo) {
  const auto push = make();
  push->stop(Clock::now());
  std::optional<TestResult> answer;
  push->test(notification(1), [&](TestResult result) { answer = std::move(result); });
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->verdict, Verdict::Retry) << "nothing is wrong with the phone or the keys";
  EXPECT_EQ(answer->reason, "the gateway is stopping: try again");
}

}  // namespace
}  // namespace wake::push
