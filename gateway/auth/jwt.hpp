// JSON Web Tokens of the operator's own identity provider (RFC 7519): is it signed by one of its keys, meant
// for us, and good now? The algorithm is the key's, never the token's choice (RFC 8725 §3.1).
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "broker-core/types.hpp"
#include "config/options.hpp"
#include "gateway/auth/jwk.hpp"

namespace wake::gateway {

/// Bytes. A longer one is refused unread.
inline constexpr std::size_t kMaxJwtBytes = 8192;

/// What a token that is good says.
struct JwtClaims {
  std::string username;  // of [auth] jwt_user_claim; not yet checked to be a name that can be ours
  broker::UtcTime expires_at{};
  bool is_admin = false;  // [auth] jwt_scope_claim
  bool has_publish_scope = false;
};
/// Why it is not: for the log, without anything of the token itself.
struct JwtRefusal {
  std::string why;
};

class JwtVerifier {
 public:
  /// `jwks` is the text of [auth] jwt_jwks_file. Throws what parse_jwks throws.
  JwtVerifier(std::string_view jwks, config::AuthOptions options);

  /// Thread: any.
  std::variant<JwtClaims, JwtRefusal> verify(std::string_view token, broker::UtcTime now) const;

 private:
  bool is_signed(const std::string& alg, const std::string& kid, std::string_view signed_bytes,
                 std::string_view signature) const;

  const std::vector<Jwk> keys_;
  const config::AuthOptions options_;
};

/// Three parts of base64url, the first of which begins a JSON object. A password that people choose is not.
bool is_jwt_like(std::string_view text);

/// Reads options.jwt_jwks_file; null when that is empty. Throws std::runtime_error naming the file.
std::shared_ptr<const JwtVerifier> load_jwt_verifier(const config::AuthOptions& options);

}  // namespace wake::gateway
