// JSON Web Tokens as the two providers use them: ES256 for APNs, RS256 for Google (RFC 7515, RFC 7518
// §3.3-3.4). Verifies what it is given; what the claims mean is said in provider_tokens.cpp and oauth.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>
#include <openssl/evp.h>

namespace wake::sim {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

struct Jwt {
  std::string alg, kid;
  std::shared_ptr<const nlohmann::json> claims;  // an object
  std::string signed_part;                       // header.payload, as received
  std::string signature;                         // raw bytes
};

/// nullopt unless it is three base64url parts, the first two JSON objects, the header with a string `alg`.
std::optional<Jwt> parse_jwt(std::string_view text);

/// True when the signature was made by `key`. ES256 wants raw r||s of 64 bytes, not DER; any other alg is
/// false.
bool verify(const Jwt&, EVP_PKEY* key);

/// A signed token; `key` is P-256 for ES256 and RSA for RS256. Throws std::runtime_error when OpenSSL
/// refuses.
std::string sign_jwt(std::string_view alg, std::string_view kid, const nlohmann::json& claims, EVP_PKEY* key);

}  // namespace wake::sim
