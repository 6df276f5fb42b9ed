// The only place of the gateway that asks the clocks: both at once, so that an event has one moment.
#pragma once

#include "broker-core/types.hpp"

namespace wake::gateway {

inline broker::Now read_clocks() {
  return {std::chrono::steady_clock::now(),
          std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now())};
}

}  // namespace wake::gateway
