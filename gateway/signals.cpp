#include "gateway/signals.hpp"

#include <cerrno>

#include <pthread.h>
#include <unistd.h>

namespace wake::gateway {

namespace {

extern "C" void end_at_once(int) { _exit(1); }
extern "C" void end_patience(int) { _exit(0); }

Signals::Kind kind_of(int signal) {
  if (signal == SIGHUP) return Signals::Kind::Reload;
  return signal > 0 ? Signals::Kind::Stop : Signals::Kind::None;
}

}  // namespace

Signals::Signals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigemptyset(&set_);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, signal);
  pthread_sigmask(SIG_BLOCK, &set_, &before_);
}

Signals::~Signals() {
  ::alarm(0);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

Signals::Kind Signals::wait() {
  for (;;) {
    int signal = 0;
    if (sigwait(&set_, &signal) == 0) return kind_of(signal);
  }
}

Signals::Kind Signals::wait_for(std::chrono::milliseconds patience) {
  const timespec time{patience.count() / 1000, patience.count() % 1000 * 1'000'000};
  return kind_of(sigtimedwait(&set_, nullptr, &time));
}

void Signals::end_by_next_or_after(std::chrono::seconds patience) {
  for (const int signal : {SIGTERM, SIGINT}) std::signal(signal, end_at_once);
  std::signal(SIGALRM, end_patience);
  sigset_t ending;
  sigemptyset(&ending);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&ending, signal);
  pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);
  ::alarm(static_cast<unsigned>(patience.count()));
}

}  // namespace wake::gateway
