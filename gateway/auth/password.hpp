// Passwords that people choose: argon2id (RFC 9106), stored as a PHC string. Every function here blocks for
// tens of milliseconds and takes 19 MiB: call it from a worker or the command line, never on a shard.
#pragma once

#include <string>
#include <string_view>

#include "gateway/auth/secret.hpp"

namespace wake::gateway {

/// Bytes. Longer than argon2 needs, short enough that nobody makes us hash a megabyte.
inline constexpr std::size_t kMinPasswordBytes = 8;
inline constexpr std::size_t kMaxPasswordBytes = 1024;

/// "$argon2id$v=19$m=19456,t=2,p=1$salt$hash" with a fresh salt (OWASP Password Storage Cheat Sheet: 19 MiB,
/// 2 passes, 1 lane). Throws std::runtime_error when memory or randomness is lacking. Thread: any.
std::string hash_password(const Secret& password);

/// True when the password belongs to the PHC string; compared in constant time. An unreadable string: false.
bool is_password(const Secret& password, const std::string& phc);

/// Spends the time of is_password, for a name that does not exist, so that the answer's time tells nothing.
void spend_password_time(const Secret& password);

}  // namespace wake::gateway
