// Tokens: a password makes a log-in, which lives by its refresh token until it is revoked or forgotten.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "broker-core/topic/topic_name.hpp"
#include "db/account_logins.hpp"
#include "gateway/auth/password.hpp"
#include "gateway/auth/refresh_token.hpp"
#include "gateway/rest/handlers.hpp"
#include "gateway/rest/json_body.hpp"
#include "gateway/rest/problem.hpp"

namespace wake::gateway::rest {
namespace {

constexpr std::size_t kMaxShownTokenBytes = 200;

AuthResult check_login(const Call& call, const std::string& username, Secret password) {
  Credentials credentials;
  credentials.username = username;
  credentials.password = std::move(password);
  credentials.address = call.request.address;
  // A token is taken as a password elsewhere; here it would let a stolen one renew itself for ever.
  credentials.logins = logins_of({"password"});
  credentials.may_wait_for_webhook = call.may_wait_for_webhook;
  return call.context.authenticator.authenticate(credentials);
}

/// Fresh tokens, for their owner and as they are kept.
struct Tokens {
  Tokens(const Call& call, RefreshToken of_login)
      : access(make_access_token()), refresh(std::move(of_login)), made_at(utc_now()) {
    const RestOptions& options = call.context.options;
    stored = {.family_hash = sha256(refresh.family.reveal()),
              .current_hash = sha256(refresh.current.reveal()),
              .access_hash = sha256(access.reveal()),
              .access_expires_at = made_at + options.token_ttl,
              .expires_at = made_at + std::max(options.token_ttl, options.refresh_ttl)};
  }

  Secret access;
  RefreshToken refresh;
  broker::UtcTime made_at;
  db::LoginTokens stored;
};

Response token_response(const Call& call, const Tokens& tokens) {
  Response response = json_response(200, {{"access_token", tokens.access.reveal()},
                                          {"token_type", "Bearer"},
                                          {"expires_in", call.context.options.token_ttl.count()},
                                          {"refresh_token", tokens.refresh.text().reveal()}});
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

Problem bad_refresh_token() {
  Problem problem = unauthenticated("The refresh token is wrong, expired, revoked or used before.");
  problem.fix = "Log in again: POST /v1/auth/token.";
  return problem;
}

}  // namespace

Response make_token(const Call& call) {
  JsonBody body(call.request);
  const std::string username = body.text("username", {1, broker::kMaxIdBytes});
  Secret password(body.text("password", {1, kMaxPasswordBytes}));
  body.done();
  if (!broker::is_id_allowed(username) || username == "api-key") {
    throw invalid_field("username", "1 to 128 bytes without + # / and control characters, and not api-key");
  }
  const AuthResult who = check_login(call, username, std::move(password));
  need_judged(who);
  if (who.outcome != AuthResult::Outcome::Ok || who.principal.kind != broker::Principal::Kind::User) {
    throw unauthenticated("User name or password is wrong.");
  }
  const Tokens tokens(call, make_refresh_token());
  const broker::UserId user{std::stoll(who.principal.id)};
  db::add_login(call.context.pool, user, tokens.stored, tokens.made_at);
  return token_response(call, tokens);
}

Response refresh_token(const Call& call) {
  JsonBody body(call.request);
  const Secret text(body.text("refresh_token", {1, kMaxShownTokenBytes}));
  body.done();
  const auto shown = parse_refresh_token(text.reveal());
  if (!shown) throw bad_refresh_token();
  const Tokens tokens(call, {shown->family, make_refresh_part()});
  const db::Refresh refresh =
      db::refresh_login(call.context.pool, sha256(shown->current.reveal()), tokens.stored, tokens.made_at);
  if (refresh.outcome == db::Refresh::Outcome::Done) return token_response(call, tokens);
  if (refresh.outcome == db::Refresh::Outcome::Reused) {
    call.context.log(push::LogLevel::Warn, "auth.refresh_reused",
                     "a refresh token of user " + std::to_string(refresh.user.value) +
                         " was used again from " + call.request.address + ": the log-in has ended");
    call.revoke_login(refresh.user, refresh.login_id);
  }
  throw bad_refresh_token();
}

/// Whoever has a token may end it; of one that is no more nothing is told (RFC 7009 section 2.2).
Response revoke_token(const Call& call) {
  JsonBody body(call.request);
  const Secret text(body.text("token", {1, kMaxShownTokenBytes}));
  body.done();
  const auto refresh = parse_refresh_token(text.reveal());
  const auto revoked = refresh
                           ? db::revoke_login_of_family(call.context.pool, sha256(refresh->family.reveal()))
                           : db::revoke_login_of_token(call.context.pool, sha256(text.reveal()));
  if (revoked) call.revoke_login(revoked->user, revoked->id);
  return no_content();
}

}  // namespace wake::gateway::rest
