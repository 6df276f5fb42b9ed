#include "config/auth_keys.hpp"

namespace wake::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kLongestCache{24 * 3600};
constexpr seconds kLongestToken{366 * 24 * 3600};

}  // namespace

std::vector<Key> auth_keys() {
  using A = AuthOptions;
  return {
      {.section = "auth",
       .name = "allow_anonymous",
       .field = field(&A::allow_anonymous, kFlag),
       .prose = "A client without credentials may do everything. For development only."},
      {.section = "auth",
       .name = "self_registration",
       .field = field(&A::self_registration, kFlag),
       .prose = "Anybody may register an account with POST /v1/users."},
      {.section = "auth",
       .name = "token_ttl",
       .field = field(&A::token_ttl, Span<seconds>{seconds(60), kLongestToken}),
       .prose =
           "How long an access token of POST /v1/auth/token is good. An MQTT connection made by one ends "
           "with it."},
      {.section = "auth",
       .name = "refresh_ttl",
       .field = field(&A::refresh_ttl, Span<seconds>{seconds(60), kLongestToken}),
       .prose = "How long a log-in lasts without POST /v1/auth/refresh."},
      {.section = "auth",
       .name = "jwt_jwks_file",
       .field = field(&A::jwt_jwks_file, kFile),
       .prose = "JWKS with the public keys of whoever signs JWTs for your users, each key for one algorithm "
                "(RS, PS, ES or EdDSA). A JWT is a user's MQTT password or Bearer token. Empty: no JWTs.",
       .example = "\"/etc/wakemq/jwks.json\"",
       .needs_restart = false},
      {.section = "auth",
       .name = "jwt_issuer",
       .field = field(&A::jwt_issuer, Text{"the `iss` of the JWTs"}),
       .prose = "The `iss` that a JWT must have. Empty: any.",
       .example = "\"https://id.example.com/\"",
       .needs_restart = false},
      {.section = "auth",
       .name = "jwt_audience",
       .field = field(&A::jwt_audience, Text{"an `aud` of the JWTs"}),
       .prose = "What a JWT's `aud` must be or hold. Empty: any, also of tokens made for other services.",
       .example = "\"wakemq\"",
       .needs_restart = false},
      {.section = "auth",
       .name = "jwt_user_claim",
       .field = field(&A::jwt_user_claim, Text{"the name of a claim"}),
       .prose = "The claim that holds the account's name here.",
       .needs_restart = false},
      {.section = "auth",
       .name = "jwt_scope_claim",
       .field = field(&A::jwt_scope_claim, Text{"the name of a claim"}),
       .prose = "A claim whose words (a list, or one text with blanks) \"admin\" and \"publish\" open what "
                "API keys with these scopes may call. Empty: JWTs give none.",
       .example = "\"scope\"",
       .needs_restart = false},
      {.section = "auth",
       .name = "jwt_leeway",
       .field = field(&A::jwt_leeway, Span<seconds>{seconds(0), seconds(600)}),
       .prose = "How far clocks may differ when exp, nbf and iat are checked.",
       .needs_restart = false},
      {.section = "auth",
       .name = "jwt_create_users",
       .field = field(&A::jwt_create_users, kFlag),
       .prose = "A JWT of somebody unknown makes the account, without a password. Otherwise it is refused.",
       .needs_restart = false},
      {.section = "auth",
       .name = "webhook_url",
       .field = field(&A::webhook_url, Text{"an http:// or https:// URL"}),
       .prose = "A back end that is asked about log-ins of users and devices that have no password here; see "
                "docs/identity.md. Empty: none.",
       .example = "\"https://backend.example.com/wakemq/auth\"",
       .is_secret = true},
      {.section = "auth",
       .name = "webhook_secret",
       .field = field(&A::webhook_secret, Text{"printable ASCII without blanks"}),
       .prose = "Sent to it as \"Authorization: Bearer ...\", so that it knows who asks.",
       .is_secret = true},
      {.section = "auth",
       .name = "webhook_ca_file",
       .field = field(&A::webhook_ca_file, kFile),
       .prose = "Certificates trusted there, instead of the system's."},
      {.section = "auth",
       .name = "webhook_timeout",
       .field = field(&A::webhook_timeout, Span<milliseconds>{milliseconds(100), seconds(30)}),
       .prose = "A log-in is refused when it has not answered by then."},
      {.section = "auth",
       .name = "webhook_cache",
       .field = field(&A::webhook_cache, Span<seconds>{seconds(0), kLongestCache}),
       .prose = "How long its answers, yes or no, are believed. 0s: it is asked every time."},
  };
}

}  // namespace wake::config
