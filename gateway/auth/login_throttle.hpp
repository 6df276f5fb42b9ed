// Slows guessing: wrong passwords and wrong proofs, counted by account and address and by address alone. So
// who guesses from elsewhere locks no owner out. Of IPv6 the address is the /64, which one subscriber has
// whole. Thread: any.
#pragma once

#include <chrono>
#include <string>

#include "gateway/auth/failure_throttle.hpp"
#include "gateway/listen/address_limit.hpp"

namespace wake::gateway {

class LoginThrottle {
 public:
  explicit LoginThrottle(int max_failures)
      : accounts_({.max_failures = max_failures}), addresses_({.max_failures = max_failures * 5}) {}

  bool is_blocked(const std::string& name, const std::string& address) {
    const auto now = std::chrono::steady_clock::now();
    const std::string network = counted_as(address);
    return accounts_.is_blocked(account(name, network), now) || addresses_.is_blocked(network, now);
  }
  void count_failure(const std::string& name, const std::string& address) {
    const auto now = std::chrono::steady_clock::now();
    const std::string network = counted_as(address);
    accounts_.count_failure(account(name, network), now);
    if (!network.empty()) addresses_.count_failure(network, now);
  }
  void forget(const std::string& name, const std::string& address) {
    accounts_.forget(account(name, counted_as(address)));
  }

 private:
  static std::string account(const std::string& name, const std::string& network) {
    return name + '\n' + network;
  }
  FailureThrottle accounts_;
  FailureThrottle addresses_;
};

}  // namespace wake::gateway
