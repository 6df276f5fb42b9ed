// "So many a minute" per name, in fixed minutes counted from the first request of that name.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "tests/sim/exchange.hpp"

namespace wake::sim {

class Rate {
 public:
  /// Counts one; false when that is more than `per_minute` (0: no limit, nothing is counted).
  bool allow(const std::string& name, std::uint32_t per_minute, Time now) {
    if (per_minute == 0) return true;
    auto& [since, count] = windows_[name];
    if (now - since >= std::chrono::minutes(1)) since = now, count = 0;
    return ++count <= per_minute;
  }
  void reset() { windows_.clear(); }

 private:
  std::unordered_map<std::string, std::pair<Time, std::uint32_t>> windows_;
};

}  // namespace wake::sim
