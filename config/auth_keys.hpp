// [auth]: the table of keys.cpp, continued.
#pragma once

#include <vector>

#include "config/keys.hpp"

namespace wake::config {

std::vector<Key> auth_keys();

}  // namespace wake::config
