#include <nlohmann/json.hpp>

#include "broker-core/topic/topic_name.hpp"
#include "db/account_users.hpp"
#include "gateway/auth/password.hpp"
#include "gateway/auth/scram.hpp"
#include "gateway/rest/handlers.hpp"
#include "gateway/rest/json_body.hpp"
#include "gateway/rest/problem.hpp"

namespace wake::gateway::rest {
namespace {

struct Login {
  std::string username;
  Secret password;
};

Login read_login(const Request& request, std::size_t min_password_bytes) {
  JsonBody body(request);
  Login login{body.text("username", {1, broker::kMaxIdBytes}),
              Secret(body.text("password", {min_password_bytes, kMaxPasswordBytes}))};
  body.done();
  if (!broker::is_id_allowed(login.username) || login.username == "api-key") {
    throw invalid_field("username", "1 to 128 bytes without + # / and control characters, and not api-key");
  }
  return login;
}

AuthResult check_login(const Call& call, const Login& login) {
  Credentials credentials;
  credentials.username = login.username;
  credentials.password = login.password;
  credentials.address = call.request.address;
  // An access token is taken as a password elsewhere; here it would let a stolen one renew itself for ever.
  if (login.password.reveal().starts_with("wat_")) throw unauthenticated("User name or password is wrong.");
  return call.context.authenticator.authenticate(credentials);
}

}  // namespace

Response add_user(const Call& call) {
  if (!call.context.options.self_registration && !call.who.is_admin) {
    if (call.request.authorization.empty()) throw unauthenticated("Registration is for administrators here.");
    throw forbidden("Registration is for administrators here.",
                    "Use an API key with the scope admin, or set [auth] self_registration = true.");
  }
  const Login login = read_login(call.request, kMinPasswordBytes);
  const auto user = db::add_user(call.context.pool, login.username, hash_password(login.password),
                                 new_verifier(login.password));
  if (!user) throw conflict("The name " + login.username + " is taken.", "Choose another.", "username");
  return json_response(201, {{"id", std::to_string(user->id.value)},
                             {"username", user->username},
                             {"created_at", time_text(user->created_at)}});
}

Response make_token(const Call& call) {
  const Login login = read_login(call.request, 1);
  const AuthResult who = check_login(call, login);
  if (who.outcome == AuthResult::Outcome::StorageAway) throw storage_away();
  if (who.outcome == AuthResult::Outcome::Throttled) throw too_many_requests("Too many failed log-ins.", 60);
  if (who.outcome != AuthResult::Outcome::Ok || who.principal.kind != broker::Principal::Kind::User) {
    throw unauthenticated("User name or password is wrong.");
  }
  const Secret token = make_access_token();
  const auto ttl = call.context.options.token_ttl;
  db::add_access_token(call.context.pool, sha256(token.reveal()),
                       broker::UserId{std::stoll(who.principal.id)}, utc_now() + ttl);
  Response response = json_response(
      200, {{"access_token", token.reveal()}, {"token_type", "Bearer"}, {"expires_in", ttl.count()}});
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

}  // namespace wake::gateway::rest
