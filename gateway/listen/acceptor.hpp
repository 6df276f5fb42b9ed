// One listening socket of one shard. Accepts while Admission lets it, and otherwise leaves connections in the
// kernel's queue until a time it names: it never spins, and a process without descriptors pauses and says so
// once.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "gateway/listen/admission.hpp"
#include "gateway/listen/listener_rules.hpp"
#include "gateway/mqtt/poller.hpp"
#include "gateway/mqtt/socket.hpp"

namespace wake::gateway {

class Acceptor : public Pollable {
 public:
  /// When the system has no descriptors left: how long to wait.
  static constexpr std::chrono::milliseconds kExhaustedPause{100};
  /// At most so many in one round, that those who are in are served.
  static constexpr int kAcceptsPerRound = 64;

  Acceptor(FileDescriptor fd, ListenerRulesPtr rules, Admission& admission);

  int fd() const { return fd_.get(); }
  /// New connections use it from now on.
  void use(ListenerRulesPtr rules) { rules_ = std::move(rules); }

  /// The poller says somebody waits; calls `take` for each that is let in.
  void on_event(broker::Now now, const std::function<void(Arrival)>& take);
  /// Paused until then; empty: nobody waits.
  std::optional<broker::SteadyTime> retry_at() const { return retry_at_; }

 private:
  std::optional<Arrival> accept_one(broker::Now now);
  Arrival arrive(FileDescriptor fd, const std::string& address, Admission::Place place);

  FileDescriptor fd_;
  ListenerRulesPtr rules_;
  Admission& admission_;
  std::optional<broker::SteadyTime> retry_at_;
  bool has_told_exhausted_ = false;
  bool has_told_full_ = false;
};

}  // namespace wake::gateway
