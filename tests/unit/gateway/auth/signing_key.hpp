// An identity provider of a test: a key made now, its JWK, and JWTs signed with it.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include <nlohmann/json.hpp>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "gateway/auth/jwk.hpp"
#include "push/text.hpp"

namespace wake::test {

using nlohmann::json;

inline std::string base64url(std::string_view bytes) {
  std::string out;
  push::append_base64url(out, bytes);
  return out;
}

class SigningKey {
 public:
  /// "RS256", "PS256", "ES256" or "EdDSA".
  SigningKey(std::string alg, std::string kid, unsigned rsa_bits = 2048)
      : alg_(std::move(alg)), kid_(std::move(kid)), key_(make(alg_, rsa_bits)) {}

  json jwk() const {
    json out = {{"kid", kid_}, {"use", "sig"}, {"alg", alg_}};
    if (alg_ == "ES256") {
      out.update({{"kty", "EC"}, {"crv", "P-256"}});
      out.update({{"x", number(OSSL_PKEY_PARAM_EC_PUB_X, 32)}, {"y", number(OSSL_PKEY_PARAM_EC_PUB_Y, 32)}});
    } else if (alg_ == "EdDSA") {
      std::string raw(32, '\0');
      std::size_t size = raw.size();
      EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size);
      out.update({{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", base64url(raw)}});
    } else {
      out.update(
          {{"kty", "RSA"}, {"n", number(OSSL_PKEY_PARAM_RSA_N, 0)}, {"e", number(OSSL_PKEY_PARAM_RSA_E, 0)}});
    }
    return out;
  }
  std::string jwks() const { return json{{"keys", json::array({jwk()})}}.dump(); }

  std::string sign(const json& claims) const { return sign({{"alg", alg_}, {"kid", kid_}}, claims); }
  std::string sign(const json& header, const json& claims) const {
    const std::string text = base64url(header.dump()) + '.' + base64url(claims.dump());
    return text + '.' + base64url(signature(text));
  }
  /// The classic forgery: an HMAC whose secret is the public key as text.
  static std::string sign_hs256(const std::string& secret, const json& claims) {
    const std::string text = base64url(json{{"alg", "HS256"}}.dump()) + '.' + base64url(claims.dump());
    unsigned char mac[32];
    unsigned size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
    return text + '.' + base64url({reinterpret_cast<const char*>(mac), size});
  }

 private:
  static std::unique_ptr<EVP_PKEY, gateway::FreeKey> make(const std::string& alg, unsigned rsa_bits) {
    EVP_PKEY* key = alg == "ES256"   ? EVP_EC_gen("P-256")
                    : alg == "EdDSA" ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                                     : EVP_RSA_gen(rsa_bits);
    if (key == nullptr) throw std::runtime_error("no key");
    return std::unique_ptr<EVP_PKEY, gateway::FreeKey>(key);
  }
  /// `size` 0: as long as it is.
  std::string number(const char* name, int size) const {
    BIGNUM* value = nullptr;
    EVP_PKEY_get_bn_param(key_.get(), name, &value);
    std::string bytes(static_cast<std::size_t>(size == 0 ? BN_num_bytes(value) : size), '\0');
    BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    BN_free(value);
    return base64url(bytes);
  }
  std::string signature(const std::string& text) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_PKEY_CTX* options = nullptr;
    EVP_DigestSignInit(context, &options, alg_ == "EdDSA" ? nullptr : EVP_sha256(), nullptr, key_.get());
    if (alg_ == "PS256") {
      EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
    }
    std::size_t size = 1024;
    std::string out(size, '\0');
    const int done = EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &size,
                                    reinterpret_cast<const unsigned char*>(text.data()), text.size());
    EVP_MD_CTX_free(context);
    if (done != 1) throw std::runtime_error("not signed");
    out.resize(size);
    return alg_ == "ES256" ? side_by_side(out) : out;
  }
  /// ECDSA's DER as JOSE has it.
  static std::string side_by_side(const std::string& der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
    std::string out(64, '\0');
    auto* bytes = reinterpret_cast<unsigned char*>(out.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), bytes, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), bytes + 32, 32);
    ECDSA_SIG_free(pair);
    return out;
  }

  std::string alg_, kid_;
  std::unique_ptr<EVP_PKEY, gateway::FreeKey> key_;
};

}  // namespace wake::test
