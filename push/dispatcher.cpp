// The shell around DispatchMachine: one turn of the loop feeds it, sends what may leave, and carries its
// effects out.
#include "push/dispatcher.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_map>

#include "push/event_loop.hpp"

namespace wake::push {
namespace {

// After the last answer: time for GOAWAY to leave.
constexpr std::chrono::milliseconds kFarewell{100};

DispatchMachine::Random make_random() {
  return [engine = std::minstd_rand(std::random_device{}())]() mutable {
    return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
  };
}

}  // namespace

struct Dispatcher::Impl {
  Impl(DispatcherOptions options_in, Outbox& outbox_in, LogSink log_in)
      : options(std::move(options_in)),
        outbox(outbox_in),
        log(std::move(log_in)),
        machine(options.limits, make_random()),
        timer(loop) {}

  // One [[push.app]]: its provider, and the ones it had before a reload, until they have answered.
  struct Channel final : ProviderEvents {
    Channel(Impl& impl_in, ChannelIndex index_in) : impl(impl_in), index(index_in) {}
    void on_answer(Ticket ticket, Answer answer) override {
      impl.machine.on_answer(ticket, std::move(answer), EventLoop::now());
      impl.schedule_turn();
    }
    void on_room() override { impl.schedule_turn(); }
    void on_trouble(const std::string& why) override {
      impl.machine.on_trouble(index, why);
      impl.schedule_turn();
    }
    void on_recovered() override {
      impl.machine.on_recovered(index, EventLoop::now());
      impl.schedule_turn();
    }
    void on_refused(const std::string& why) override {
      impl.machine.on_refused(index, why, EventLoop::now());
      impl.schedule_turn();
    }

    Impl& impl;
    ChannelIndex index;
    std::unique_ptr<Provider> provider;  // null: its configuration cannot be used, `broken` says why
    std::string broken;
    std::vector<std::unique_ptr<Provider>> retired;
  };

  void load(const std::vector<AppOptions>& apps);
  void open(const AppOptions& app, broker::Now now);
  void schedule_turn();
  void turn();
  void pump(Channel& channel, broker::Now now);
  void carry_out(DispatchEffects effects);
  void arm_timer(broker::Now now);
  void take_inbox();
  void start_stopping(broker::SteadyTime deadline);
  void finish();
  DispatcherStatus make_status() const { return {machine.status(), machine.in_memory()}; }

  DispatcherOptions options;
  Outbox& outbox;
  LogSink log;
  EventLoop loop;
  // Loop thread only, from here …
  DispatchMachine machine;
  std::vector<std::unique_ptr<Channel>> channels;  // by ChannelIndex
  std::unordered_map<Ticket, std::function<void(TestResult)>> tests;
  LoopTimer timer;
  std::optional<broker::SteadyTime> armed;
  bool is_turn_scheduled = false;
  bool is_stopping = false;
  bool is_finished = false;
  // … to here.
  std::mutex mutex;
  std::vector<Notification> inbox;  // guarded by mutex
  bool is_closed = false;           // guarded by mutex
  DispatcherStatus last_status;     // guarded by mutex
  std::thread thread;
  std::once_flag stopped;
};

Dispatcher::Dispatcher(std::vector<AppOptions> apps, DispatcherOptions options, Outbox& outbox, LogSink log)
    : impl_(std::make_unique<Impl>(std::move(options), outbox, std::move(log))) {
  impl_->loop.post([impl = impl_.get(), apps = std::move(apps)] { impl->load(apps); });
  impl_->thread = std::thread([impl = impl_.get()] { impl->loop.run(); });
}

Dispatcher::~Dispatcher() { stop(std::chrono::steady_clock::now()); }

void Dispatcher::expect(std::vector<WaitingAlert> alerts) {
  std::promise<void> known;
  impl_->loop.post([&, impl = impl_.get()] {
    impl->machine.expect(alerts, EventLoop::now());
    known.set_value();
  });
  known.get_future().wait();
}

void Dispatcher::submit(std::vector<Notification> notifications) {
  if (notifications.empty()) return;
  std::unique_lock lock(impl_->mutex);
  if (impl_->is_closed) {
    lock.unlock();
    const broker::UtcTime now = EventLoop::now().utc;
    std::vector<Resolution> released;
    for (const Notification& notification : notifications) {
      Resolution& resolution = released.emplace_back();
      resolution.key = notification.key;
      resolution.kind = Resolution::Kind::Released;
      resolution.reason = "stopped";
      resolution.attempt_count = notification.attempt_count;
      resolution.at = resolution.due_at = now;
    }
    return impl_->outbox.resolve(std::move(released));
  }
  const bool was_empty = impl_->inbox.empty();
  std::move(notifications.begin(), notifications.end(), std::back_inserter(impl_->inbox));
  lock.unlock();
  if (was_empty) impl_->loop.post([impl = impl_.get()] { impl->turn(); });
}

void Dispatcher::cancel(NotificationKey key) {
  impl_->loop.post([impl = impl_.get(), key] {
    impl->take_inbox();  // what was submitted before must be known before it can be cancelled
    impl->machine.cancel(key, EventLoop::now());
    impl->schedule_turn();
  });
}

void Dispatcher::recall(broker::PhoneId phone) {
  impl_->loop.post([impl = impl_.get(), phone] {
    impl->take_inbox();  // as in cancel()
    impl->machine.recall(phone, EventLoop::now());
    impl->schedule_turn();
  });
}

void Dispatcher::test(Notification notification, std::function<void(TestResult)> done) {
  {
    std::scoped_lock lock(impl_->mutex);
    if (!impl_->is_closed) {
      impl_->loop.post(
          [impl = impl_.get(), notification = std::move(notification), done = std::move(done)]() mutable {
            if (impl->is_finished) return done({Verdict::Retry, 0, kStopping, {}});
            impl->tests.emplace(impl->machine.submit_test(std::move(notification), EventLoop::now()),
                                std::move(done));
            impl->schedule_turn();
          });
      return;
    }
  }
  done({Verdict::Retry, 0, kStopping, {}});
}

DispatcherStatus Dispatcher::status() {
  std::future<DispatcherStatus> answer;
  {
    std::scoped_lock lock(impl_->mutex);
    if (impl_->is_closed) return impl_->last_status;
    auto promise = std::make_shared<std::promise<DispatcherStatus>>();
    answer = promise->get_future();
    impl_->loop.post([impl = impl_.get(), promise] { promise->set_value(impl->make_status()); });
  }
  const bool is_there = answer.wait_for(std::chrono::seconds{1}) == std::future_status::ready;
  std::scoped_lock lock(impl_->mutex);
  if (is_there) impl_->last_status = answer.get();
  return impl_->last_status;
}

void Dispatcher::reload(std::vector<AppOptions> apps) {
  impl_->loop.post([impl = impl_.get(), apps = std::move(apps)] { impl->load(apps); });
}

void Dispatcher::stop(broker::SteadyTime deadline) {
  std::call_once(impl_->stopped, [&] {
    impl_->loop.post([impl = impl_.get(), deadline] { impl->start_stopping(deadline); });
    impl_->thread.join();
  });
}

void Dispatcher::Impl::load(const std::vector<AppOptions>& apps) {
  if (is_stopping) return;
  const broker::Now now = EventLoop::now();
  std::vector<ChannelKey> wanted;
  for (const AppOptions& app : apps) {
    wanted.push_back(channel_key_of(app));
    open(app, now);
  }
  for (const ChannelStatus& status : machine.status()) {
    if (std::find(wanted.begin(), wanted.end(), status.key) != wanted.end()) continue;
    machine.close_channel(machine.index_of(status.key), now);
  }
  schedule_turn();
}

void Dispatcher::Impl::open(const AppOptions& app, broker::Now now) {
  const ChannelIndex index = machine.open_channel(channel_key_of(app), now);
  if (index == channels.size()) channels.push_back(std::make_unique<Channel>(*this, index));
  Channel& channel = *channels[index];
  if (channel.provider) channel.retired.push_back(std::move(channel.provider));
  channel.provider = nullptr;
  channel.broken.clear();
  try {
    channel.provider = options.make_provider(loop, app, channel);
  } catch (const std::exception& error) {
    channel.broken = error.what();
    machine.on_refused(index, channel.broken, now);
  }
}

void Dispatcher::Impl::schedule_turn() {
  if (is_turn_scheduled || is_finished) return;
  is_turn_scheduled = true;
  loop.post([this] { turn(); });
}

void Dispatcher::Impl::turn() {
  is_turn_scheduled = false;
  if (is_finished) return;
  take_inbox();
  const broker::Now now = EventLoop::now();
  machine.on_time(now);
  for (const auto& channel : channels) {
    std::erase_if(channel->retired, [](const auto& provider) { return provider->in_flight() == 0; });
    if (!is_stopping) pump(*channel, now);
  }
  carry_out(machine.take_effects());
  if (is_stopping && machine.in_flight() == 0) return finish();
  arm_timer(now);
}

void Dispatcher::Impl::take_inbox() {
  std::vector<Notification> taken;
  {
    std::scoped_lock lock(mutex);
    taken.swap(inbox);
  }
  const broker::Now now = EventLoop::now();
  for (Notification& notification : taken) machine.submit(std::move(notification), now);
}

void Dispatcher::Impl::pump(Channel& channel, broker::Now now) {
  Provider* provider = channel.provider.get();
  while (!provider || provider->room() > 0) {
    const auto send = machine.next(channel.index, now);
    if (!send) return;
    if (provider) {
      provider->send(send->ticket, *send->notification, {now.utc, send->is_without_payload});
      continue;
    }
    Answer answer;
    answer.verdict = Verdict::ChannelDown;
    answer.is_counted = false;
    answer.reason = channel.broken;
    machine.on_answer(send->ticket, std::move(answer), now);
  }
  if (machine.has_work(channel.index, now)) provider->want();
}

void Dispatcher::Impl::carry_out(DispatchEffects effects) {
  for (const auto& line : effects.log) log(line.level, line.event, line.text);
  if (!effects.resolutions.empty()) outbox.resolve(std::move(effects.resolutions));
  for (auto& [ticket, answer] : effects.tests) {
    const auto it = tests.find(ticket);
    if (it == tests.end()) continue;
    const auto done = std::move(it->second);
    tests.erase(it);
    done({answer.verdict, answer.status, std::move(answer.reason), std::move(answer.provider_id)});
  }
}

void Dispatcher::Impl::arm_timer(broker::Now now) {
  const auto next = machine.next_deadline(now);
  if (!next || (armed && *armed <= *next)) return;
  armed = next;
  timer.start_at(*next, [this] {
    armed.reset();
    turn();
  });
}

void Dispatcher::Impl::start_stopping(broker::SteadyTime deadline) {
  is_stopping = true;
  timer.start_at(deadline, [this] { finish(); });
  armed = broker::SteadyTime::min();  // no other deadline matters any more
  turn();
}

void Dispatcher::Impl::finish() {
  if (std::exchange(is_finished, true)) return;
  {
    std::scoped_lock lock(mutex);
    is_closed = true;
  }
  take_inbox();
  machine.give_back_all(EventLoop::now());
  carry_out(machine.take_effects());
  for (const auto& channel : channels) {
    channel->provider.reset();
    channel->retired.clear();
  }
  {
    std::scoped_lock lock(mutex);
    last_status = make_status();
  }
  timer.start_at(std::chrono::steady_clock::now() + kFarewell, [this] { loop.stop(); });
}

}  // namespace wake::push
