// A private key that signs JSON Web Tokens (RFC 7515, RFC 7518 §3.3 and §3.4). Over OpenSSL.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace wake::push {

/// Never printed, never logged.
class SigningKey {
 public:
  enum class Algorithm { Es256, Rs256 };

  /// PKCS#8 PEM. Throws std::runtime_error when it is no such key; the message holds nothing of the key.
  SigningKey(Algorithm algorithm, std::string_view pem);
  ~SigningKey();
  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;

  /// header.claims.signature, each base64url without padding; an ES256 signature is raw r||s (32 + 32 bytes),
  /// not DER. Throws std::runtime_error when OpenSSL cannot sign.
  std::string sign_jwt(std::string_view header_json, std::string_view claims_json) const;

 private:
  std::string sign(std::string_view text) const;

  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  Algorithm algorithm_;
  std::unique_ptr<evp_pkey_st, Free> key_;
};

/// The whole file. Throws std::runtime_error naming it when it cannot be read or is larger than 1 MiB.
std::string read_secret_file(const std::string& path);

}  // namespace wake::push
