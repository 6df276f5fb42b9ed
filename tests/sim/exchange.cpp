#include "tests/sim/exchange.hpp"

#include <algorithm>

namespace wake::sim {

std::optional<std::string_view> Request::header(std::string_view name) const {
  const auto found =
      std::find_if(headers.begin(), headers.end(), [&](const auto& h) { return h.first == name; });
  if (found == headers.end()) return std::nullopt;
  return found->second;
}

}  // namespace wake::sim
