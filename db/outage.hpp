// How a thread with its own connection lives through PostgreSQL being away: back-off, one log line when it
// begins and one when it is over.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>

#include "push/log.hpp"

namespace wake::db {

class Outage {
 public:
  struct Backoff {
    std::chrono::milliseconds min{100};
    std::chrono::milliseconds max{5'000};
  };
  /// `event` starts the names of both log lines: "<event>_away", "<event>_back".
  Outage(std::string event, Backoff backoff, push::LogSink log)
      : event_(std::move(event)), backoff_(backoff), next_(backoff.min), log_(std::move(log)) {}

  /// Storage was found away; returns how long to wait before the next attempt.
  std::chrono::milliseconds began(const std::string& error) {
    if (!is_on_) log_(push::LogLevel::Error, event_ + "_away", error);
    is_on_ = true;
    const auto wait = next_;
    next_ = std::min(next_ * 2, backoff_.max);
    return wait;
  }

  void over() {
    if (is_on_) log_(push::LogLevel::Info, event_ + "_back", "PostgreSQL answers again");
    is_on_ = false;
    next_ = backoff_.min;
  }

 private:
  std::string event_;
  Backoff backoff_;
  std::chrono::milliseconds next_;
  push::LogSink log_;
  bool is_on_ = false;
};

}  // namespace wake::db
