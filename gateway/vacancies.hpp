// Which nodes are gone, and not merely on their way back to PostgreSQL: after PostgreSQL itself was away, all
// of them take their numbers again one after the other. Pure. Threads: one at a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <vector>

#include "broker-core/types.hpp"

namespace wake::gateway {

class Vacancies {
 public:
  /// Longer than a node takes to notice that it lost its number and to take it again (db::NodeLease::Options:
  /// a second each, and the time to connect).
  static constexpr std::chrono::seconds kGrace{5};

  /// `vacant`: numbers that nobody holds at this look. Those that nobody held at any look since kGrace ago.
  std::vector<int> gone(const std::vector<int>& vacant, broker::SteadyTime now) {
    std::erase_if(since_,
                  [&](const auto& one) { return std::ranges::find(vacant, one.first) == vacant.end(); });
    std::vector<int> gone;
    for (const int number : vacant) {
      const broker::SteadyTime since = since_.try_emplace(number, now).first->second;
      if (now - since >= kGrace) gone.push_back(number);
    }
    return gone;
  }
  /// A look failed: what was seen before says nothing any more.
  void forget() { since_.clear(); }

 private:
  std::map<int, broker::SteadyTime> since_;
};

}  // namespace wake::gateway
