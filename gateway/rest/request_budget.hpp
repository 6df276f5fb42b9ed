// How many requests one caller may make: a bucket of one second's worth for each, refilled steadily. In
// memory and bounded; one node's view only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "broker-core/types.hpp"

namespace wake::gateway::rest {

/// Thread: any.
class RequestBudget {
 public:
  /// A caller that waits so long has at least one request again: for Retry-After.
  static constexpr int kRetryAfterS = 1;

  /// per_second  0: no limit, and nothing is remembered
  /// max_keys    callers remembered at once; beyond it those with a full bucket are forgotten, which changes
  ///             nothing, and should that not make room, all are
  explicit RequestBudget(std::uint32_t per_second, std::size_t max_keys = 20'000)
      : per_second_(per_second), max_keys_(max_keys) {}
  /// Takes one request from the caller's bucket. False: it is empty.
  bool spend(const std::string& caller, broker::SteadyTime now);

 private:
  struct Bucket {
    double tokens = 0;
    broker::SteadyTime refilled_at{};
  };
  double tokens_at(const Bucket& bucket, broker::SteadyTime now) const;
  void make_room(broker::SteadyTime now);

  const double per_second_;
  const std::size_t max_keys_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace wake::gateway::rest
