// What a scripted answer adds to a reply whatever the provider: body, Retry-After, any header.
#pragma once

#include "tests/sim/exchange.hpp"
#include "tests/sim/script.hpp"

namespace wake::sim {

void add_scripted_headers(Reply&, const Answer&, Time now);

}  // namespace wake::sim
