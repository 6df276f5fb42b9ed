#include "gateway/mqtt/poller.hpp"

#include <cerrno>
#include <system_error>

#include <sys/eventfd.h>

namespace wake::gateway {

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!epoll_.is_open() || !wake_.is_open() || !add(wake_.get(), wake_pollable_)) {
    throw std::system_error(errno, std::generic_category(), "no epoll set for a shard");
  }
}

bool Poller::add(int fd, Pollable& pollable) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
  if (pollable.kind == Pollable::Kind::Socket) event.events |= EPOLLOUT;
  event.data.ptr = &pollable;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Poller::remove(int fd) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void Poller::wake() {
  // Edge-triggered: each write is an event, and the count is never read; it cannot overflow in the process's
  // life.
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

std::span<const epoll_event> Poller::wait(std::chrono::milliseconds limit) {
  const int count = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                                 static_cast<int>(limit.count()));
  count_ = count > 0 ? static_cast<std::size_t>(count) : 0;
  return {events_.data(), count_};
}

}  // namespace wake::gateway
