// Log-ins of people: what one exchange of a password for tokens began, with its refresh token and its access
// tokens. Blocking, one transaction a call, throws StorageAway (see account_users.hpp). Any thread. Tokens
// come as SHA-256; the rule of refresh tokens is at the head of migrations/0009.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "broker-core/types.hpp"
#include "db/account_users.hpp"
#include "db/pool.hpp"

namespace wake::db {

/// Of one account at a time; the longest unused ends when there is one more.
inline constexpr int kMaxLogins = 100;
/// Access tokens of one log-in at a time, however often it is refreshed; the oldest ends.
inline constexpr int kMaxTokensOfLogin = 5;
/// A refresh whose answer was lost on the way may be repeated for so long.
inline constexpr std::chrono::seconds kRefreshGrace{60};

struct LoginTokens {
  std::string family_hash;   // finds the log-in
  std::string current_hash;  // the other half of its refresh token
  std::string access_hash;
  broker::UtcTime access_expires_at{};
  broker::UtcTime expires_at{};  // unless it is refreshed before
};

/// The id of a new log-in.
std::int64_t add_login(Pool& pool, broker::UserId user, const LoginTokens& tokens, broker::UtcTime now);

struct Refresh {
  enum class Outcome {
    Done,
    Unknown,  // no such log-in, or expired
    Reused,   // a part that was replaced before: somebody else has it, the log-in has ended
  };
  Outcome outcome = Outcome::Unknown;
  std::int64_t login_id = 0;
  broker::UserId user;
};
/// `shown_hash` is the part that the client showed with the family of `fresh`, which has the parts from now
/// on.
Refresh refresh_login(Pool& pool, const std::string& shown_hash, const LoginTokens& fresh,
                      broker::UtcTime now);

/// False: revoked, or gone with its user.
bool has_login(Pool& pool, std::int64_t login_id);

struct RevokedLogin {
  std::int64_t id = 0;
  broker::UserId user;
};
/// With all its tokens. Empty: there is none.
std::optional<RevokedLogin> revoke_login_of_family(Pool& pool, const std::string& family_hash);
std::optional<RevokedLogin> revoke_login_of_token(Pool& pool, const std::string& access_hash);

struct TokenOwner {
  User user;
  std::int64_t login_id = 0;  // 0: a token of before there were log-ins
  broker::UtcTime expires_at{};
};
/// Whose access token it is, while it has not expired.
std::optional<TokenOwner> find_token_owner(Pool& pool, const std::string& access_hash, broker::UtcTime now);

}  // namespace wake::db
