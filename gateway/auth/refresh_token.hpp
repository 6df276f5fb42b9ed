// Refresh tokens: "wrt_FAMILY.CURRENT". The family stays as long as the log-in, and finds it; the current
// part is replaced with every use, so that a copy shows itself (migrations/0009, db/account_logins.hpp).
#pragma once

#include <optional>
#include <string_view>

#include "gateway/auth/secret.hpp"

namespace wake::gateway {

struct RefreshToken {
  Secret family;
  Secret current;
  /// As the client keeps it.
  Secret text() const;
};

/// Of a new log-in. Throws std::runtime_error when OpenSSL has no randomness.
RefreshToken make_refresh_token();
/// nullopt: not of our making.
std::optional<RefreshToken> parse_refresh_token(std::string_view text);

}  // namespace wake::gateway
