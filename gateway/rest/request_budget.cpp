#include "gateway/rest/request_budget.hpp"

#include <algorithm>
#include <chrono>

namespace wake::gateway::rest {

bool RequestBudget::spend(const std::string& caller, broker::SteadyTime now) {
  if (per_second_ == 0) return true;
  const std::lock_guard lock(mutex_);
  auto found = buckets_.find(caller);
  if (found == buckets_.end()) {
    if (buckets_.size() >= max_keys_) make_room(now);
    found = buckets_.emplace(caller, Bucket{per_second_, now}).first;
  }
  Bucket& bucket = found->second;
  bucket = {tokens_at(bucket, now), now};
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

double RequestBudget::tokens_at(const Bucket& bucket, broker::SteadyTime now) const {
  const double elapsed_s = std::chrono::duration<double>(now - bucket.refilled_at).count();
  return std::min(per_second_, bucket.tokens + elapsed_s * per_second_);
}

void RequestBudget::make_room(broker::SteadyTime now) {
  std::erase_if(buckets_, [&](const auto& one) { return tokens_at(one.second, now) >= per_second_; });
  if (buckets_.size() > max_keys_ / 2) buckets_.clear();
}

}  // namespace wake::gateway::rest
