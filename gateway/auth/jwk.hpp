// The public keys of whoever signs JWTs: a JWK Set (RFC 7517) made into OpenSSL's keys, and the check of one
// signature (RFC 7515, RFC 7518 §3, RFC 8037). Asymmetric only: of "oct" keys, with which whoever can check
// could also sign, and of `alg` none there is nothing here.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/types.h>

namespace wake::gateway {

struct FreeKey {
  void operator()(EVP_PKEY* key) const;
};

/// One key has one algorithm: its own `alg`, else the one of its type and size (RSA: RS256).
struct Jwk {
  std::string kid;  // empty: none
  std::string alg;  // "RS256" … "RS512", "PS256" … "PS512", "ES256", "ES384", "ES512", "EdDSA"
  std::unique_ptr<EVP_PKEY, FreeKey> key;
};

/// More keys than an identity provider has at a time.
inline constexpr std::size_t kMaxJwks = 100;

/// The signing keys of the set. Keys of other types and uses are passed over (RFC 7517 §5). Throws
/// std::runtime_error saying what is wrong: not a JWK Set, a key that is damaged or too short (RSA below
/// 2048 bits), or no key that could be used.
std::vector<Jwk> parse_jwks(std::string_view text);

/// Is `signature` the key's over `signed_bytes`, by the key's algorithm? Thread: any, also the same key.
bool is_signature(const Jwk& jwk, std::string_view signed_bytes, std::string_view signature);

/// RFC 4648 §5 without padding, as JOSE has it. False: it is not.
bool decode_base64url(std::string_view text, std::string& out);

}  // namespace wake::gateway
