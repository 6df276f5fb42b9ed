// What keys must say together, and the files they name: asked after reading, before anything starts.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/config.hpp"

namespace wake::config {

struct Finding {
  std::string section;
  std::size_t index = 0;
  std::string key;      // empty: the section itself
  std::string message;  // "expected …"
  friend bool operator==(const Finding&, const Finding&) = default;
};

/// Every rule that `config` breaks; empty: it may be served. Opens the files it names, and nothing else.
std::vector<Finding> check(const Config& config);

}  // namespace wake::config
