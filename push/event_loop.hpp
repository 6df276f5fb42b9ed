// The one thread of push: everything between Dispatcher and the sockets runs on it. Hides Asio from the
// headers.
#pragma once

#include <functional>
#include <memory>

#include "broker-core/types.hpp"

namespace wake::push {

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Runs `work` on the loop's thread, after what was posted before. Any thread; never runs it inside the
  /// call.
  void post(std::function<void()> work);
  /// Runs until stop(). Called once, by the thread that becomes the loop's.
  void run();
  /// Any thread. What was posted and not yet run is dropped.
  void stop();
  /// Both clocks, read now.
  static broker::Now now();

  struct Impl;  // event_loop_impl.hpp, for the .cpp files that open sockets
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// One timer; starting it again replaces the old deadline. Loop thread only.
class LoopTimer {
 public:
  explicit LoopTimer(EventLoop& loop);
  ~LoopTimer();  // cancels
  LoopTimer(const LoopTimer&) = delete;
  LoopTimer& operator=(const LoopTimer&) = delete;
  void start_at(broker::SteadyTime deadline, std::function<void()> work);
  void cancel();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace wake::push
