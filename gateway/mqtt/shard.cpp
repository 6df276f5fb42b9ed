// The rounds of a shard, and its doors for other threads.
#include "gateway/mqtt/shard.hpp"

#include <algorithm>
#include <utility>

#include "gateway/clock.hpp"
#include "gateway/mqtt/shard_impl.hpp"
#include "gateway/thread_name.hpp"

namespace wake::gateway {

Shard::Impl::Impl(ShardOptions options_in, ShardHost& host_in)
    : options(std::move(options_in)),
      host(host_in),
      broker(options.limits, options.delivery, options.identity, options.is_quiet),
      sockets(broker, poller, options.limits.connect_timeout, [this] { take_mail(); }),
      now(read_clocks()) {}

Shard::Impl::~Impl() { stop(); }

void Shard::Impl::run() {
  name_this_thread("shard-" + std::to_string(options.identity.shard));
  using namespace std::chrono_literals;
  bool is_unfinished = true;  // letters may have been posted before the start
  while (!is_stopping) is_unfinished = run_round(is_unfinished ? poller.wait(0ms) : wait_for_events());
}

void Shard::Impl::stop() {
  is_stopping = true;
  poller.wake();
  if (thread.joinable()) thread.join();
}

void Shard::Impl::post(Letter letter) {
  if (mailbox.post(std::move(letter))) poller.wake();
}

std::span<const epoll_event> Shard::Impl::wait_for_events() {
  using namespace std::chrono_literals;
  const bool may_sleep = mailbox.fall_asleep();
  const auto events = poller.wait(may_sleep ? until_deadline() : 0ms);
  mailbox.wake_up();
  return events;
}

/// Rounded up, so that what is due is due; negative when nothing ever is.
std::chrono::milliseconds Shard::Impl::until_deadline() const {
  using namespace std::chrono_literals;
  auto next = broker::SteadyTime::max();
  if (const auto due = broker.next_deadline()) next = std::min(next, *due);
  if (const auto due = sockets.next_deadline()) next = std::min(next, *due);
  for (const Listener& listener : listeners) {
    if (const auto due = listener.acceptor->retry_at()) next = std::min(next, *due);
  }
  if (next == broker::SteadyTime::max()) return -1ms;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - read_clocks().steady);
  return std::clamp<std::chrono::milliseconds>(left, 0ms, 1h);
}

bool Shard::Impl::run_round(std::span<const epoll_event> events) {
  now = read_clocks();
  take_mail();
  for (const epoll_event& event : events) {
    auto& pollable = *static_cast<Pollable*>(event.data.ptr);
    if (pollable.kind == Pollable::Kind::Socket) sockets.on_event(pollable, event.events, now);
    if (pollable.kind == Pollable::Kind::Acceptor) accept_from(static_cast<Acceptor&>(pollable));
  }
  sockets.read_ready(now);
  sockets.on_deadline(now);
  retry_accepting();
  if (const auto due = broker.next_deadline(); due && *due <= now.steady) broker.on_deadline(now);
  const bool is_unfinished = carry_out_all();
  sockets.end_round();
  if (std::exchange(is_closing_listeners, false)) listeners.clear();
  return is_unfinished || poller.was_full() || sockets.has_ready() || mailbox.has_letters();
}

void Shard::Impl::take_mail() {
  if (!mailbox.has_letters()) return;
  mailbox.take(opened);
  for (Letter& letter : opened) open(letter);
  opened.clear();
}

void Shard::Impl::open(Letter& letter) {
  if (auto* mail = std::get_if<MailLetter>(&letter)) {
    broker.on_mail(mail->from, std::move(mail->mail), now);
  } else if (auto* committed = std::get_if<CommittedLetter>(&letter)) {
    if (committed->is_failed) {
      broker.on_commit_failed(committed->batch, now);
    } else {
      broker.on_committed(committed->batch, now);
    }
  } else if (auto* arrival = std::get_if<Arrival>(&letter)) {
    sockets.adopt(std::move(*arrival), now);
  } else {
    std::get<Work>(letter)(broker, now);
  }
}

void Shard::Impl::accept_from(Acceptor& acceptor) {
  acceptor.on_event(now, [this](Arrival arrival) {
    ++sockets_opened;
    sockets.adopt(std::move(arrival), now);
  });
}

void Shard::Impl::retry_accepting() {
  for (const Listener& listener : listeners) {
    const auto retry_at = listener.acceptor->retry_at();
    if (retry_at && *retry_at <= now.steady) accept_from(*listener.acceptor);
  }
}

Shard::Shard(ShardOptions options, ShardHost& host)
    : impl_(std::make_unique<Impl>(std::move(options), host)) {}
Shard::~Shard() = default;

broker::Broker& Shard::broker() { return impl_->broker; }

void Shard::start(std::vector<Shard*> shards) {
  impl_->shards = std::move(shards);
  impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

void Shard::stop() { impl_->stop(); }

void Shard::post(Work work) { impl_->post(std::move(work)); }
void Shard::post_mail(unsigned from, std::vector<broker::Mail> mail) {
  impl_->post(MailLetter{from, std::move(mail)});
}
void Shard::post_committed(std::uint64_t batch, bool is_failed) {
  impl_->post(CommittedLetter{batch, is_failed});
}
void Shard::post_arrival(Arrival arrival) { impl_->post(std::move(arrival)); }

void Shard::open_listener(FileDescriptor fd, std::string key, ListenerRulesPtr rules, Admission& admission) {
  auto acceptor = std::make_shared<std::unique_ptr<Acceptor>>(
      std::make_unique<Acceptor>(std::move(fd), std::move(rules), admission));
  post([impl = impl_.get(), key = std::move(key), acceptor](broker::Broker&, broker::Now) {
    if (!impl->poller.add((*acceptor)->fd(), **acceptor)) return;
    impl->listeners.push_back({key, std::move(*acceptor)});
  });
}

void Shard::reload_listener(std::string key, ListenerRulesPtr rules) {
  post([impl = impl_.get(), key = std::move(key), rules = std::move(rules)](broker::Broker&, broker::Now) {
    for (Impl::Listener& listener : impl->listeners) {
      if (listener.key == key) listener.acceptor->use(rules);
    }
  });
}

void Shard::close_listeners() {
  // Closing a socket of a SO_REUSEPORT group resets who waits in its queue; they go to another node or try
  // again.
  post([impl = impl_.get()](broker::Broker&, broker::Now) {
    for (const Impl::Listener& listener : impl->listeners) impl->poller.remove(listener.acceptor->fd());
    impl->is_closing_listeners = true;
  });
}

void Shard::ask_snapshot(std::function<void(ShardSnapshot)> answer) {
  post([impl = impl_.get(), answer = std::move(answer)](broker::Broker&, broker::Now) {
    answer({impl->broker.counters(), impl->sockets.counters(), impl->sockets.count(), impl->sockets_opened,
            impl->incidents});
  });
}

}  // namespace wake::gateway
