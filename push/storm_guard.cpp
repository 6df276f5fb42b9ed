#include "push/storm_guard.hpp"

namespace wake::push {
StormGuard::Slice& StormGuard::slice_at(broker::SteadyTime now) {
  const auto width = std::chrono::duration_cast<broker::Duration>(kStormWindow) / kSlices;
  const std::int64_t number = now.time_since_epoch() / width;
  Slice& slice = slices_[static_cast<std::size_t>(number) % kSlices];
  if (slice.number != number) slice = {number, 0, 0, {}};
  return slice;
}

void StormGuard::on_answer(broker::SteadyTime now) { ++slice_at(now).answers; }

bool StormGuard::on_dead_token(std::size_t token_hash, broker::SteadyTime now) {
  Slice& current = slice_at(now);
  ++current.dead_answers;
  if (current.dead.size() <= kStormTokens) current.dead.insert(token_hash);
  std::unordered_set<std::size_t> dead;
  std::size_t answers = 0;
  std::size_t dead_answers = 0;
  for (const Slice& slice : slices_) {
    if (slice.number <= current.number - static_cast<std::int64_t>(kSlices)) continue;
    answers += slice.answers;
    dead_answers += slice.dead_answers;
    dead.insert(slice.dead.begin(), slice.dead.end());
  }
  return dead.size() > kStormTokens &&
         static_cast<double>(dead_answers) > kStormShare * static_cast<double>(answers);
}

}  // namespace wake::push
