#include "push/event_loop.hpp"

#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "push/event_loop_impl.hpp"

namespace wake::push {

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::post(std::function<void()> work) { boost::asio::post(impl_->io, std::move(work)); }

void EventLoop::run() { impl_->io.run(); }

void EventLoop::stop() { impl_->io.stop(); }

broker::Now EventLoop::now() {
  return {std::chrono::steady_clock::now(),
          std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now())};
}

struct LoopTimer::Impl {
  explicit Impl(EventLoop& loop) : timer(loop.impl().io) {}
  boost::asio::steady_timer timer;
  std::uint64_t generation = 0;  // a handler already queued when its timer is cancelled must not run
};

LoopTimer::LoopTimer(EventLoop& loop) : impl_(std::make_shared<Impl>(loop)) {}

LoopTimer::~LoopTimer() { cancel(); }

void LoopTimer::start_at(broker::SteadyTime deadline, std::function<void()> work) {
  const std::uint64_t generation = ++impl_->generation;
  impl_->timer.expires_at(deadline);
  impl_->timer.async_wait(
      [impl = impl_, generation, work = std::move(work)](boost::system::error_code error) {
        if (!error && impl->generation == generation) work();
      });
}

void LoopTimer::cancel() {
  ++impl_->generation;
  impl_->timer.cancel();
}

}  // namespace wake::push
