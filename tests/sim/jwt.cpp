#include "tests/sim/jwt.hpp"

#include <stdexcept>
#include <vector>

#include <nlohmann/json.hpp>
#include <openssl/ecdsa.h>

#include "tests/sim/encoding.hpp"

namespace wake::sim {
namespace {

using Json = nlohmann::json;
constexpr int kHalf = 32;  // bytes of r and of s on P-256

std::optional<Json> object_of(std::string_view part) {
  const auto text = from_base64url(part);
  if (!text) return std::nullopt;
  auto json = Json::parse(*text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

std::string string_at(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

struct FreeSignature {
  void operator()(ECDSA_SIG* s) const { ECDSA_SIG_free(s); }
};
using Signature = std::unique_ptr<ECDSA_SIG, FreeSignature>;

std::string der_from_raw(std::string_view raw) {
  if (raw.size() != 2 * kHalf) return {};
  const Signature parts(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes_of(raw), kHalf, nullptr);
  BIGNUM* s = BN_bin2bn(bytes_of(raw) + kHalf, kHalf, nullptr);
  if (!parts || !r || !s || ECDSA_SIG_set0(parts.get(), r, s) != 1)
    throw std::runtime_error("no ECDSA signature");
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(parts.get(), &der);
  std::string out(reinterpret_cast<char*>(der), size > 0 ? static_cast<std::size_t>(size) : 0);
  OPENSSL_free(der);
  return out;
}

std::string raw_from_der(const std::string& der) {
  const unsigned char* at = bytes_of(der);
  const Signature parts(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!parts) throw std::runtime_error("no ECDSA signature");
  std::string raw(2 * kHalf, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), out, kHalf);
  BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), out + kHalf, kHalf);
  return raw;
}

struct FreeContext {
  void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

bool key_fits(std::string_view alg, EVP_PKEY* key) {
  return key &&
         ((alg == "ES256" && EVP_PKEY_is_a(key, "EC")) || (alg == "RS256" && EVP_PKEY_is_a(key, "RSA")));
}

}  // namespace

std::optional<Jwt> parse_jwt(std::string_view text) {
  const auto first = text.find('.');
  const auto last = text.rfind('.');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  const auto header = object_of(text.substr(0, first));
  auto claims = object_of(text.substr(first + 1, last - first - 1));
  auto signature = from_base64url(text.substr(last + 1));
  if (!header || !claims || !signature) return std::nullopt;
  Jwt jwt;
  jwt.alg = string_at(*header, "alg");
  jwt.kid = string_at(*header, "kid");
  jwt.claims = std::make_shared<const Json>(*std::move(claims));
  jwt.signed_part = text.substr(0, last);
  jwt.signature = *std::move(signature);
  return jwt;
}

bool verify(const Jwt& jwt, EVP_PKEY* key) {
  if (!key_fits(jwt.alg, key)) return false;
  const std::string signature = jwt.alg == "ES256" ? der_from_raw(jwt.signature) : jwt.signature;
  const Context context(EVP_MD_CTX_new());
  return !signature.empty() &&
         EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(jwt.signed_part),
                          jwt.signed_part.size()) == 1;
}

std::string sign_jwt(std::string_view alg, std::string_view kid, const Json& claims, EVP_PKEY* key) {
  if (!key_fits(alg, key)) throw std::runtime_error("the key does not fit the algorithm");
  const Json header = {{"alg", alg}, {"kid", kid}, {"typ", "JWT"}};
  std::string text = to_base64url(header.dump()) + "." + to_base64url(claims.dump());
  const Context context(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes_of(text), text.size()) != 1) {
    throw std::runtime_error("cannot sign");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes_of(text),
                     text.size()) != 1) {
    throw std::runtime_error("cannot sign");
  }
  signature.resize(size);
  return text + "." + to_base64url(alg == "ES256" ? raw_from_der(signature) : signature);
}

}  // namespace wake::sim
