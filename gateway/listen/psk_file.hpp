// Pre-shared keys from a file: a line each, "identity:hexkey"; empty lines and those that begin with # are
// skipped.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace wake::gateway {

/// Never logged.
using PskTable = std::map<std::string, std::vector<unsigned char>, std::less<>>;

/// Shorter keys can be guessed from one recorded handshake.
inline constexpr std::size_t kMinPskBytes = 16;
/// What OpenSSL takes.
inline constexpr std::size_t kMaxPskBytes = 256;
inline constexpr std::size_t kMaxPskIdentity = 128;

/// Throws std::runtime_error naming the line and what was expected, never a key.
PskTable parse_psk_lines(std::string_view text);
/// The same with the file's name in front; also when it cannot be read.
PskTable read_psk_file(const std::string& file);

}  // namespace wake::gateway
