#include "gateway/auth/jwk.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>

#include <nlohmann/json.hpp>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

namespace wake::gateway {
namespace {

using Json = nlohmann::json;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeKey>;

struct Free {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
  void operator()(OSSL_PARAM* params) const { OSSL_PARAM_free(params); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

enum class Family { Rsa, RsaPss, Ec, Ed };

/// RFC 7518 §3.1 and RFC 8037 §3.1, the asymmetric ones.
struct Algorithm {
  const char* name;
  Family family;
  const char* digest;      // as OpenSSL calls it; EdDSA has its own
  const char* curve;       // as JWK calls it
  const char* group;       // the same, as OpenSSL does
  std::size_t coordinate;  // bytes of each half of an ECDSA signature (RFC 7518 §3.4)
};
constexpr std::array kAlgorithms{
    Algorithm{"RS256", Family::Rsa, "SHA256", "", "", 0},
    Algorithm{"RS384", Family::Rsa, "SHA384", "", "", 0},
    Algorithm{"RS512", Family::Rsa, "SHA512", "", "", 0},
    Algorithm{"PS256", Family::RsaPss, "SHA256", "", "", 0},
    Algorithm{"PS384", Family::RsaPss, "SHA384", "", "", 0},
    Algorithm{"PS512", Family::RsaPss, "SHA512", "", "", 0},
    Algorithm{"ES256", Family::Ec, "SHA256", "P-256", "prime256v1", 32},
    Algorithm{"ES384", Family::Ec, "SHA384", "P-384", "secp384r1", 48},
    Algorithm{"ES512", Family::Ec, "SHA512", "P-521", "secp521r1", 66},
    Algorithm{"EdDSA", Family::Ed, nullptr, "Ed25519", "", 0},
};
constexpr int kMinRsaBits = 2048;  // RFC 7518 §3.3
constexpr std::size_t kEd25519Bytes = 32;

std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string bytes_of(const Json& jwk, const char* name) {
  std::string bytes;
  if (!decode_base64url(text_of(jwk, name), bytes) || bytes.empty())
    throw std::runtime_error(std::string("its \"") + name + "\" is not base64url");
  return bytes;
}

const Algorithm* find_algorithm(std::string_view name) {
  for (const Algorithm& algorithm : kAlgorithms) {
    if (name == algorithm.name) return &algorithm;
  }
  return nullptr;
}

/// What the key signs with; null: not a key that could have signed a JWT for us.
const Algorithm* algorithm_of(const Json& jwk) {
  const std::string kty = text_of(jwk, "kty");
  const std::string curve = text_of(jwk, "crv");
  const auto fits = [&](const Algorithm& algorithm) {
    if (algorithm.family == Family::Ec) return kty == "EC" && curve == algorithm.curve;
    if (algorithm.family == Family::Ed) return kty == "OKP" && curve == algorithm.curve;
    return kty == "RSA";
  };
  if (jwk.contains("alg")) {
    const Algorithm* named = find_algorithm(text_of(jwk, "alg"));
    return named != nullptr && fits(*named) ? named : nullptr;
  }
  for (const Algorithm& algorithm : kAlgorithms) {
    if (fits(algorithm)) return &algorithm;  // of RSA the first, RS256
  }
  return nullptr;
}

bool is_for_signatures(const Json& jwk) {
  if (jwk.contains("use") && text_of(jwk, "use") != "sig") return false;
  const auto operations = jwk.find("key_ops");
  if (operations == jwk.end() || !operations->is_array()) return true;
  for (const Json& operation : *operations) {
    if (operation == "verify") return true;
  }
  return false;
}

Owned<BIGNUM> to_number(const std::string& bytes) {
  return Owned<BIGNUM>(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                                 static_cast<int>(bytes.size()), nullptr));
}

KeyPtr from_params(const char* type, OSSL_PARAM_BLD* builder) {
  const Owned<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(builder));
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    throw std::runtime_error(std::string("it is not a key of type ") + type);
  return KeyPtr(key);
}

KeyPtr make_rsa(const Json& jwk) {
  const Owned<BIGNUM> modulus = to_number(bytes_of(jwk, "n"));
  const Owned<BIGNUM> exponent = to_number(bytes_of(jwk, "e"));
  if (BN_num_bits(modulus.get()) < kMinRsaBits)
    throw std::runtime_error("its modulus is shorter than " + std::to_string(kMinRsaBits) + " bits");
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  return from_params("RSA", builder.get());
}

KeyPtr make_ec(const Json& jwk, const Algorithm& algorithm) {
  const std::string x = bytes_of(jwk, "x");
  const std::string y = bytes_of(jwk, "y");
  if (x.size() != algorithm.coordinate || y.size() != algorithm.coordinate)
    throw std::runtime_error("its coordinates do not have the length of the curve");
  const std::string point = '\x04' + x + y;  // uncompressed, SEC 1 §2.3.3
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, algorithm.group, 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return from_params("EC", builder.get());
}

KeyPtr make_ed(const Json& jwk) {
  const std::string x = bytes_of(jwk, "x");
  if (x.size() != kEd25519Bytes) throw std::runtime_error("its \"x\" does not have 32 bytes");
  KeyPtr key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                         reinterpret_cast<const unsigned char*>(x.data()), x.size()));
  if (!key) throw std::runtime_error("it is not a key of type Ed25519");
  return key;
}

KeyPtr make_key(const Json& jwk, const Algorithm& algorithm) {
  if (algorithm.family == Family::Ec) return make_ec(jwk, algorithm);
  return algorithm.family == Family::Ed ? make_ed(jwk) : make_rsa(jwk);
}

/// OpenSSL wants ECDSA's two numbers in DER; JOSE writes them side by side.
std::optional<std::string> to_der(std::string_view signature, std::size_t coordinate) {
  if (signature.size() != 2 * coordinate) return std::nullopt;
  Owned<BIGNUM> r = to_number(std::string(signature.substr(0, coordinate)));
  Owned<BIGNUM> s = to_number(std::string(signature.substr(coordinate)));
  const Owned<ECDSA_SIG> pair(ECDSA_SIG_new());
  if (!r || !s || !pair || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return std::nullopt;
  static_cast<void>(r.release());  // the pair's now
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0) return std::nullopt;
  std::string out(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

}  // namespace

void FreeKey::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }

std::vector<Jwk> parse_jwks(std::string_view text) {
  const Json set = Json::parse(text, nullptr, false);
  const auto keys = set.is_object() ? set.find("keys") : set.end();
  if (!set.is_object() || keys == set.end() || !keys->is_array())
    throw std::runtime_error("expected a JWK Set, {\"keys\":[…]} in JSON");
  if (keys->size() > kMaxJwks)
    throw std::runtime_error("it has more than " + std::to_string(kMaxJwks) + " keys");
  std::vector<Jwk> usable;
  for (const Json& jwk : *keys) {
    if (!jwk.is_object()) throw std::runtime_error("a key in it is not a JSON object");
    const Algorithm* algorithm = is_for_signatures(jwk) ? algorithm_of(jwk) : nullptr;
    if (algorithm == nullptr) continue;
    const std::string kid = text_of(jwk, "kid");
    try {
      usable.push_back({kid, algorithm->name, make_key(jwk, *algorithm)});
    } catch (const std::runtime_error& error) {
      throw std::runtime_error("its key \"" + kid + "\" is damaged: " + error.what());
    }
  }
  if (usable.empty())
    throw std::runtime_error("it has no key that signs with RS, PS or ES 256, 384 or 512, or EdDSA");
  return usable;
}

bool is_signature(const Jwk& jwk, std::string_view signed_bytes, std::string_view signature) {
  const Algorithm& algorithm = *find_algorithm(jwk.alg);
  std::optional<std::string> shown{std::string(signature)};
  if (algorithm.family == Family::Ec) shown = to_der(signature, algorithm.coordinate);
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;  // the context's
  if (!shown || !context ||
      EVP_DigestVerifyInit_ex(context.get(), &options, algorithm.digest, nullptr, nullptr, jwk.key.get(),
                              nullptr) != 1)
    return false;
  if (algorithm.family == Family::RsaPss &&
      (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1))
    return false;
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(shown->data()), shown->size(),
                          reinterpret_cast<const unsigned char*>(signed_bytes.data()),
                          signed_bytes.size()) == 1;
}

bool decode_base64url(std::string_view text, std::string& out) {
  if (text.size() % 4 == 1) return false;
  out.clear();
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const char c : text) {
    const bool is_digit = c >= '0' && c <= '9';
    int value = c == '-' ? 62 : c == '_' ? 63 : -1;
    if (c >= 'A' && c <= 'Z') value = c - 'A';
    if (c >= 'a' && c <= 'z') value = c - 'a' + 26;
    if (is_digit) value = c - '0' + 52;
    if (value < 0) return false;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    out += static_cast<char>((bits >> bit_count) & 0xFF);
  }
  return (bits & ((1U << bit_count) - 1)) == 0;  // what is left over says nothing
}

}  // namespace wake::gateway
