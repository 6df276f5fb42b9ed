// SIGTERM, SIGINT and SIGHUP, taken by one thread when it asks. Make it before any other thread, so that all
// inherit the blocked mask. SIGPIPE is ignored: OpenSSL and libpq write to sockets that may be gone.
#pragma once

#include <chrono>
#include <csignal>

namespace wake::gateway {

class Signals {
 public:
  enum class Kind { None, Stop, Reload };

  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  Kind wait();
  /// None: nothing came. A Reload is answered too.
  Kind wait_for(std::chrono::milliseconds patience);

  /// From now on a further SIGTERM or SIGINT ends the process at once (status 1), and `patience` later it
  /// ends by itself (status 0: nothing that was acknowledged is lost by that).
  void end_by_next_or_after(std::chrono::seconds patience);

 private:
  sigset_t set_{};
  sigset_t before_{};
};

}  // namespace wake::gateway
