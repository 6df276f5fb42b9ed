// Slows guessing: wrong passwords and wrong proofs, counted by account and address and by address alone.
// Thread: any.
#pragma once

#include <chrono>
#include <string>

#include "gateway/auth/failure_throttle.hpp"

namespace wake::gateway {

class LoginThrottle {
 public:
  explicit LoginThrottle(int max_failures)
      : accounts_({.max_failures = max_failures}), addresses_({.max_failures = max_failures * 5}) {}

  bool is_blocked(const std::string& name, const std::string& address) {
    const auto now = std::chrono::steady_clock::now();
    return accounts_.is_blocked(account(name, address), now) || addresses_.is_blocked(address, now);
  }
  void count_failure(const std::string& name, const std::string& address) {
    const auto now = std::chrono::steady_clock::now();
    accounts_.count_failure(account(name, address), now);
    if (!address.empty()) addresses_.count_failure(address, now);
  }
  void forget(const std::string& name, const std::string& address) {
    accounts_.forget(account(name, address));
  }

 private:
  static std::string account(const std::string& name, const std::string& address) {
    return name + '\n' + address;
  }
  FailureThrottle accounts_;
  FailureThrottle addresses_;
};

}  // namespace wake::gateway
