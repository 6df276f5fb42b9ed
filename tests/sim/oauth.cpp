#include "tests/sim/oauth.hpp"

#include <nlohmann/json.hpp>

#include "tests/sim/encoding.hpp"

namespace wake::sim {
namespace {

using Json = nlohmann::json;
constexpr const char* kGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
constexpr const char* kScopes[] = {"https://www.googleapis.com/auth/firebase.messaging",
                                   "https://www.googleapis.com/auth/cloud-platform"};
constexpr const char* kGoogle =
    "https://oauth2.googleapis.com/token";  // some libraries put it in whatever the file says
constexpr std::int64_t kLongestS = 3600, kOauthSkewS = 300;
constexpr std::size_t kTokensKept = 10'000;

Reply json_reply(int status, const Json& json) {
  return {status,
          {{"content-type", "application/json; charset=UTF-8"}, {"cache-control", "no-store"}},
          json.dump()};
}

std::int64_t number_at(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : -1;
}
std::string text_at(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

bool asks_for_messaging(const std::string& scopes) {
  const std::string padded = " " + scopes + " ";
  for (const char* scope : kScopes) {
    if (padded.find(" " + std::string(scope) + " ") != std::string::npos) return true;
  }
  return false;
}

}  // namespace

Verdict OAuth::refusal(const std::string& error, const std::string& description) {
  Verdict verdict;
  verdict.target = "oauth";
  verdict.reason = error;
  verdict.reply = json_reply(error == "invalid_client" ? 401 : 400,
                             {{"error", error}, {"error_description", description}});
  return verdict;
}

Verdict OAuth::exchange(const Request& request, std::uint32_t lifetime_s, bool revoked, Time now) {
  if (request.method != "POST") return refusal("invalid_request", "Only POST is allowed");
  const auto type = request.header("content-type").value_or("");
  if (!type.starts_with("application/x-www-form-urlencoded")) return refusal("invalid_request", "Not a form");
  const auto form = from_form(request.body);
  if (!form || !form->contains("grant_type"))
    return refusal("invalid_request", "Required parameter is missing: grant_type");
  if (form->at("grant_type") != kGrant)
    return refusal("unsupported_grant_type", "Invalid grant_type: " + form->at("grant_type"));
  if (!form->contains("assertion"))
    return refusal("invalid_request", "Required parameter is missing: assertion");
  if (revoked) return refusal("invalid_grant", "Invalid grant: account not found");
  const std::string problem = problem_with(form->at("assertion"), now);
  if (problem == "invalid_scope")
    return refusal(problem, "Invalid OAuth scope or ID token audience provided.");
  if (!problem.empty()) return refusal("invalid_grant", problem);
  Verdict verdict;
  verdict.target = "oauth";
  verdict.reply = json_reply(
      200, {{"access_token", issue(lifetime_s, now)}, {"expires_in", lifetime_s}, {"token_type", "Bearer"}});
  return verdict;
}

std::string OAuth::problem_with(const std::string& assertion, Time now) const {
  const auto jwt = parse_jwt(assertion);
  if (!jwt) return "Invalid JWT: not three parts of base64url JSON";
  if (jwt->alg != "RS256") return "Invalid JWT: algorithm must be RS256";
  // The kid may be left out: Google then tries the account's keys.
  const bool foreign_key = !jwt->kid.empty() && jwt->kid != account_.private_key_id;
  if (foreign_key || !verify(*jwt, account_.key.get())) return "Invalid JWT Signature.";
  const Json& claims = *jwt->claims;
  if (text_at(claims, "iss") != account_.client_email) return "Invalid grant: account not found";
  const std::string audience = text_at(claims, "aud");
  if (audience != token_uri_ && audience != kGoogle) return "Invalid JWT: Failed audience check.";
  const auto iat = number_at(claims, "iat"), exp = number_at(claims, "exp"), seconds = unix_seconds(now);
  const bool in_time = iat > 0 && iat <= seconds + kOauthSkewS && exp > seconds - kOauthSkewS && exp > iat;
  if (!in_time || exp - iat > kLongestS) {
    return "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
           "Check your iat and exp values in the JWT claim.";
  }
  return asks_for_messaging(text_at(claims, "scope")) ? "" : "invalid_scope";
}

std::string OAuth::issue(std::uint32_t lifetime_s, Time now) {
  if (expires_.size() >= kTokensKept) expires_.clear();
  std::string token = "ya29.sim-" + random_hex(24);
  expires_[token] = now + std::chrono::seconds(lifetime_s);
  return token;
}

AccessState OAuth::state_of(std::string_view access_token, Time now) const {
  const auto found = expires_.find(access_token);
  if (found == expires_.end()) return AccessState::Unknown;
  return now < found->second ? AccessState::Valid : AccessState::Expired;
}

}  // namespace wake::sim
