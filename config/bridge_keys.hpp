// The part of the table of keys (keys.cpp) that is [[bridge]].
#pragma once

#include <vector>

#include "config/keys.hpp"

namespace wake::config {

std::vector<Key> bridge_keys();

}  // namespace wake::config
