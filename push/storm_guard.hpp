// Contract §2.7: when an unlikely share of an app's tokens look dead at once, a wrong topic, project or
// environment is the likelier cause. One per channel. Time is passed in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_set>

#include "broker-core/types.hpp"

namespace wake::push {

/// More than this many distinct tokens …
inline constexpr std::size_t kStormTokens = 20;
/// … and more than this share of the answers …
inline constexpr double kStormShare = 0.3;
/// … within this time.
inline constexpr std::chrono::minutes kStormWindow{5};

class StormGuard {
 public:
  void on_answer(broker::SteadyTime now);
  /// An answer (already counted by on_answer) that says its token is dead. True: do not believe it.
  bool on_dead_token(std::size_t token_hash, broker::SteadyTime now);

 private:
  // The window in slices, so that it costs one counter per answer; it is exact to a slice.
  static constexpr std::size_t kSlices = 10;
  struct Slice {
    std::int64_t number = -1;  // of the slice since the epoch of the clock
    std::size_t answers = 0;
    std::size_t dead_answers = 0;
    std::unordered_set<std::size_t> dead;  // distinct tokens, at most kStormTokens + 1: more change nothing
  };
  Slice& slice_at(broker::SteadyTime now);
  std::array<Slice, kSlices> slices_;
};

}  // namespace wake::push
