#include "gateway/auth/failure_throttle.hpp"

namespace wake::gateway {

bool FailureThrottle::is_blocked(const std::string& key, broker::SteadyTime now) {
  const std::lock_guard lock(mutex_);
  turn(now);
  const auto found = failures_.find(key);
  return found != failures_.end() && found->second >= options_.max_failures;
}

void FailureThrottle::count_failure(const std::string& key, broker::SteadyTime now) {
  const std::lock_guard lock(mutex_);
  turn(now);
  if (failures_.size() >= options_.max_keys) failures_.clear();
  ++failures_[key];
}

void FailureThrottle::forget(const std::string& key) {
  const std::lock_guard lock(mutex_);
  failures_.erase(key);
}

void FailureThrottle::turn(broker::SteadyTime now) {
  if (now < window_end_) return;
  failures_.clear();
  window_end_ = now + options_.window;
}

}  // namespace wake::gateway
