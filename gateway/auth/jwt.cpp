#include "gateway/auth/jwt.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace wake::gateway {
namespace {

using Json = nlohmann::json;
using std::chrono::seconds;

constexpr std::size_t kMaxJwksBytes = 1024 * 1024;
constexpr double kMaxNumericDate = 253'402'300'799;  // 9999-12-31T23:59:59Z
/// A token may say more; nobody holds a connection that long.
constexpr seconds kLongest{10 * 366 * 24 * 3600};

struct Parts {
  std::string_view signed_bytes;  // header.payload, as sent
  std::string header, payload, signature;
};

std::optional<Parts> split(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == token.npos ? first : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return std::nullopt;
  Parts parts{token.substr(0, second), {}, {}, {}};
  if (!decode_base64url(token.substr(0, first), parts.header) ||
      !decode_base64url(token.substr(first + 1, second - first - 1), parts.payload) ||
      !decode_base64url(token.substr(second + 1), parts.signature))
    return std::nullopt;
  return parts;
}

std::string text_of(const Json& object, const std::string& name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// RFC 7519 §2, NumericDate: seconds, with or without a fraction. Absent: nullopt; anything else: refused.
struct Date {
  bool is_there = false;
  std::optional<broker::UtcTime> time;  // not there, or not a date
};
Date date_of(const Json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end()) return {};
  if (!found->is_number()) return {true, std::nullopt};
  const double number = found->get<double>();
  if (!std::isfinite(number) || number < 0 || number > kMaxNumericDate) return {true, std::nullopt};
  return {true, broker::UtcTime(seconds(static_cast<std::int64_t>(number)))};
}

/// RFC 7519 §4.1.3: one text, or a list of them.
bool holds(const Json& claims, const char* name, const std::string& wanted) {
  const auto found = claims.find(name);
  if (found == claims.end()) return false;
  if (!found->is_array()) return *found == wanted;
  return std::any_of(found->begin(), found->end(), [&](const Json& one) { return one == wanted; });
}

/// RFC 8693 §4.2 has scopes as one text with blanks; many providers have roles as a list.
bool has_word(const Json& claims, const std::string& name, const std::string& word) {
  const auto found = name.empty() ? claims.end() : claims.find(name);
  if (found == claims.end()) return false;
  if (found->is_array()) return holds(claims, name.c_str(), word);
  return (' ' + text_of(claims, name) + ' ').find(' ' + word + ' ') != std::string::npos;
}

/// Empty: it is good at `now`.
std::string wrong_time(const Json& claims, seconds leeway, broker::UtcTime now) {
  const Date exp = date_of(claims, "exp");
  const Date nbf = date_of(claims, "nbf");
  const Date iat = date_of(claims, "iat");
  if (!exp.time) return "it has no exp that is a date";
  if (now >= *exp.time + leeway) return "it has expired";
  if (nbf.is_there && (!nbf.time || now + leeway < *nbf.time)) return "its nbf has not come yet";
  if (iat.is_there && (!iat.time || now + leeway < *iat.time)) return "its iat has not come yet";
  return {};
}

}  // namespace

JwtVerifier::JwtVerifier(std::string_view jwks, config::AuthOptions options)
    : keys_(parse_jwks(jwks)), options_(std::move(options)) {}

std::variant<JwtClaims, JwtRefusal> JwtVerifier::verify(std::string_view token, broker::UtcTime now) const {
  if (token.size() > kMaxJwtBytes) return JwtRefusal{"it is too long"};
  const auto parts = split(token);
  const Json header = parts ? Json::parse(parts->header, nullptr, false) : Json();
  if (!parts || !header.is_object()) return JwtRefusal{"it is not a JWT"};
  // RFC 7515 §4.1.11: of what must be understood nothing is.
  if (header.contains("crit")) return JwtRefusal{"its header has crit"};
  if (!is_signed(text_of(header, "alg"), text_of(header, "kid"), parts->signed_bytes, parts->signature))
    return JwtRefusal{"none of the keys has signed it"};
  const Json claims = Json::parse(parts->payload, nullptr, false);
  if (!claims.is_object()) return JwtRefusal{"its claims are not a JSON object"};
  if (std::string why = wrong_time(claims, options_.jwt_leeway, now); !why.empty())
    return JwtRefusal{std::move(why)};
  if (!options_.jwt_issuer.empty() && text_of(claims, "iss") != options_.jwt_issuer)
    return JwtRefusal{"its iss is not jwt_issuer"};
  if (!options_.jwt_audience.empty() && !holds(claims, "aud", options_.jwt_audience))
    return JwtRefusal{"its aud is not jwt_audience"};
  const std::string username = text_of(claims, options_.jwt_user_claim);
  if (username.empty()) return JwtRefusal{"it has no text in the claim " + options_.jwt_user_claim};
  return JwtClaims{.username = username,
                   .expires_at = std::min(*date_of(claims, "exp").time + options_.jwt_leeway, now + kLongest),
                   .is_admin = has_word(claims, options_.jwt_scope_claim, "admin"),
                   .has_publish_scope = has_word(claims, options_.jwt_scope_claim, "publish")};
}

bool JwtVerifier::is_signed(const std::string& alg, const std::string& kid, std::string_view signed_bytes,
                            std::string_view signature) const {
  return std::ranges::any_of(keys_, [&](const Jwk& jwk) {
    return jwk.alg == alg && (kid.empty() || jwk.kid == kid) && is_signature(jwk, signed_bytes, signature);
  });
}

bool is_jwt_like(std::string_view text) {
  return text.starts_with("eyJ") && std::ranges::count(text, '.') == 2;  // {" in base64url
}

std::shared_ptr<const JwtVerifier> load_jwt_verifier(const config::AuthOptions& options) {
  if (options.jwt_jwks_file.empty()) return nullptr;
  std::ifstream in(options.jwt_jwks_file, std::ios::binary);
  std::string text(kMaxJwksBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  try {
    if (text.empty()) throw std::runtime_error("it cannot be read, or is empty");
    if (text.size() > kMaxJwksBytes) throw std::runtime_error("it has more than 1 MiB");
    return std::make_shared<const JwtVerifier>(text, options);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error("auth.jwt_jwks_file " + options.jwt_jwks_file + ": " + error.what());
  }
}

}  // namespace wake::gateway
