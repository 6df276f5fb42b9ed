// What opens doors: passwords, device secrets, keys, tokens, pairing codes. A Secret cannot be printed,
// logged or put into JSON by accident: whoever really needs the characters says reveal().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace wake::gateway {

/// Holds the characters and overwrites them when destroyed. No operator<<, no conversion, on purpose.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string characters) : characters_(std::move(characters)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret other) noexcept;
  ~Secret();
  /// For hashing, comparing, and the one answer that shows a new secret to its owner. Never logged.
  std::string_view reveal() const { return characters_; }
  bool is_empty() const { return characters_.empty(); }

 private:
  std::string characters_;
};

/// A new secret of 256 random bits in base64url without padding. Throws std::runtime_error when OpenSSL has
/// no randomness.
Secret make_device_secret();
Secret make_api_key();       // "wk_…"
Secret make_access_token();  // "wat_…"
Secret make_refresh_part();  // either half of a refresh token (refresh_token.hpp)

/// 8 characters a person can read aloud and type: capitals and digits without 0 O 1 I L U, 39 bits.
/// Not a Secret: it is shown on a screen, lives ten minutes and works once.
std::string make_pairing_code();

/// 16 hexadecimal digits that name one request in answers and logs.
std::string make_request_id();

/// SHA-256, 32 bytes: what the database keeps of a random secret.
std::string sha256(std::string_view bytes);

/// Takes the same time wherever the two differ. Different lengths: false at once (lengths are no secret
/// here).
bool is_equal_constant_time(std::string_view a, std::string_view b);

}  // namespace wake::gateway
