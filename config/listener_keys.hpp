// The rows of [[listener]] in the table of keys.
#pragma once

#include <vector>

#include "config/keys.hpp"

namespace wake::config {

std::vector<Key> listener_keys();

}  // namespace wake::config
