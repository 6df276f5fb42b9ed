// Slows the guessing of codes (of pairing and of invitations). A code has 8 of 30 signs, 39 random bits,
// works once and for ten minutes. Counted are wrong ones: of each device or user, of each address, and of all
// together, so that neither many accounts nor many addresses help. With a thousand codes waiting at any time,
// ten minutes of guessing hit one with a chance of 10 * 1,000 / 30^8 = 1.5e-8 from one account, and of 1.5e-5
// from a thousand accounts, which is when all are turned away. One node's view only; a restart forgets it.
// Thread: any.
#pragma once

#include <chrono>
#include <string>

#include "gateway/auth/failure_throttle.hpp"

namespace wake::gateway::rest {

class CodeThrottle {
 public:
  static constexpr std::chrono::minutes kWindow{10};
  static constexpr int kPerPrincipal = 10;
  static constexpr int kPerAddress = 100;
  static constexpr int kOverAll = 10'000;

  /// `principal`: who tries; `address`: from where, without port; empty: not known.
  bool is_blocked(const std::string& principal, const std::string& address) {
    const auto now = std::chrono::steady_clock::now();
    return principals_.is_blocked(principal, now) || all_.is_blocked({}, now) ||
           (!address.empty() && addresses_.is_blocked(address, now));
  }
  void count_failure(const std::string& principal, const std::string& address) {
    const auto now = std::chrono::steady_clock::now();
    principals_.count_failure(principal, now);
    all_.count_failure({}, now);
    if (!address.empty()) addresses_.count_failure(address, now);
  }

 private:
  FailureThrottle principals_{{.max_failures = kPerPrincipal, .window = kWindow}};
  FailureThrottle addresses_{{.max_failures = kPerAddress, .window = kWindow}};
  FailureThrottle all_{{.max_failures = kOverAll, .window = kWindow}};
};

}  // namespace wake::gateway::rest
