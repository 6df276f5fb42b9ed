// Apple's checks of one request, as pure functions (Apple, Sending notification requests to APNs; Handling
// notification responses from APNs). Credentials are in provider_tokens.hpp. Where Apple does not say which
// reason comes first or which one fits, the choice is marked "our choice" at the line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/exchange.hpp"

namespace wake::sim::apns {

struct Checked {
  const char* refusal = nullptr;  // Apple's reason; nullptr: taken, and `push` is whole
  Push push;
};

/// The device token of "/3/device/<token>" in lower case; nullopt for any other path. May be empty.
std::optional<std::string> token_of(std::string_view path);

/// Method and path, before anything else is looked at.
const char* check_target(const Request&);
/// Headers and payload. `topics`: bundle ids the credential covers, empty: any.
Checked check_message(const Request&, const std::vector<std::string>& topics, Time now);

/// HTTP status of a reason; 0 for one Apple does not have.
int status_of(std::string_view reason);

}  // namespace wake::sim::apns
