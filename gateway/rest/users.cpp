#include <nlohmann/json.hpp>

#include "broker-core/topic/topic_name.hpp"
#include "db/account_users.hpp"
#include "gateway/auth/password.hpp"
#include "gateway/auth/scram.hpp"
#include "gateway/rest/handlers.hpp"
#include "gateway/rest/json_body.hpp"
#include "gateway/rest/page_response.hpp"
#include "gateway/rest/problem.hpp"

namespace wake::gateway::rest {
namespace {

nlohmann::json to_json(const db::User& user) {
  return {{"id", std::to_string(user.id.value)},
          {"username", user.username},
          {"has_password", !user.password_hash.empty()},
          {"created_at", time_text(user.created_at)}};
}

/// Counted as any log-in is: who holds a token only may not guess on by this call.
void check_current_password(const Call& call, const std::string& username, const Secret& password) {
  Credentials credentials;
  credentials.username = username;
  credentials.password = password;
  credentials.address = call.request.address;
  credentials.logins = logins_of({"password"});
  const AuthResult who = call.context.authenticator.authenticate(credentials);
  need_judged(who);
  if (who.outcome != AuthResult::Outcome::Ok)
    throw invalid_field("current_password", "the password of the account");
}

}  // namespace

Response add_user(const Call& call) {
  if (!call.context.options.self_registration && !call.who.is_admin) {
    if (call.request.authorization.empty()) throw unauthenticated("Registration is for administrators here.");
    throw forbidden("Registration is for administrators here.",
                    "Use an API key with the scope admin, or set [auth] self_registration = true.");
  }
  JsonBody body(call.request);
  const std::string username = body.text("username", {1, broker::kMaxIdBytes});
  const Secret password(body.text("password", {kMinPasswordBytes, kMaxPasswordBytes}));
  body.done();
  if (!broker::is_id_allowed(username) || username == "api-key") {
    throw invalid_field("username", "1 to 128 bytes without + # / and control characters, and not api-key");
  }
  const auto user =
      db::add_user(call.context.pool, username, hash_password(password), new_verifier(password));
  if (!user) throw conflict("The name " + username + " is taken.", "Choose another.", "username");
  return json_response(201, to_json(*user));
}

Response list_users(const Call& call) {
  return page_response(db::list_users(call.context.pool, call.page()),
                       [](const db::User& user) { return to_json(user); });
}

Response delete_user(const Call& call) {
  const broker::UserId id{path_id(call, 0, "user")};
  const auto user = db::find_user_by_id(call.context.pool, id);
  if (!user || !db::remove_user(call.context.pool, user->username))
    throw not_found("user " + call.parameter(0));
  call.refresh(id);
  call.end_logins(broker::Principal::Kind::User, call.parameter(0));
  return no_content();
}

Response put_password(const Call& call) {
  JsonBody body(call.request);
  const Secret current(body.text("current_password", {1, kMaxPasswordBytes}));
  const Secret fresh(body.text("new_password", {kMinPasswordBytes, kMaxPasswordBytes}));
  body.done();
  const auto user = db::find_user_by_id(call.context.pool, call.user());
  if (!user) throw unauthenticated("The account is no more.");
  if (user->password_hash.empty())
    throw conflict("The account has no password here.", "Change it where you log in.", "current_password");
  check_current_password(call, user->username, current);
  db::set_password(call.context.pool, user->username, hash_password(fresh), new_verifier(fresh),
                   call.who.token_login);
  call.end_logins(broker::Principal::Kind::User, std::to_string(user->id.value));
  return no_content();
}

}  // namespace wake::gateway::rest
