// Only what people choose (passwords) is throttled: keys, tokens and device secrets are 256 random bits, so
// guessing them is hopeless, and a flood of wrong ones must not lock out the right ones behind the same
// address.
#include "gateway/auth/authenticator.hpp"

#include <algorithm>
#include <chrono>
#include <functional>

#include "broker-core/access/rule_pattern.hpp"
#include "broker-core/packet/utf8.hpp"
#include "broker-core/topic/topic_name.hpp"
#include "db/account_store.hpp"
#include "gateway/auth/jwt.hpp"
#include "gateway/auth/login_throttle.hpp"
#include "gateway/auth/password.hpp"
#include "gateway/auth/proven_passwords.hpp"
#include "gateway/auth/scram.hpp"
#include "gateway/auth/webhook.hpp"
#include "gateway/observe/log.hpp"

namespace wake::gateway {
namespace {

using Outcome = AuthResult::Outcome;
using Kind = broker::Principal::Kind;

constexpr std::string_view kServiceName = "api-key";
constexpr std::string_view kTokenPrefix = "wat_";

broker::UtcTime utc_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

AuthResult refused() { return {}; }

/// A token says whose it is; a user name beside it is none or the same.
bool is_theirs(const Credentials& credentials, const std::string& username) {
  return !credentials.username || credentials.username->empty() || *credentials.username == username;
}

std::vector<broker::AclRule> to_rules(const std::vector<db::AclRow>& rows, const std::string& username,
                                      const std::string& client_id) {
  std::vector<broker::AclRule> rules;
  for (const db::AclRow& row : rows) {
    if (auto filter = broker::fill_in_rule(row.filter, username, client_id))
      rules.push_back({row.may_publish, row.may_subscribe, std::move(*filter)});
  }
  return rules;
}

/// Of what is stored of a password, secret or key: told apart by it, nothing more.
std::uint64_t digest_of(const std::string& hash) { return std::hash<std::string>{}(hash); }

bool is_device_secret(const db::Device& device, const Secret& secret) {
  return is_equal_constant_time(sha256(secret.reveal()), device.secret_hash);
}

}  // namespace

Authenticator::Authenticator(db::Pool& pool, AuthenticatorOptions options)
    : pool_(pool),
      options_(std::move(options)),
      throttle_(std::make_unique<LoginThrottle>(options_.max_failures)),
      proven_(std::make_unique<ProvenPasswords>()) {}
Authenticator::~Authenticator() = default;

AuthResult Authenticator::authenticate(const Credentials& credentials) {
  try {
    return check(credentials);
  } catch (const db::StorageAway&) {
    return {.outcome = Outcome::StorageAway, .principal = {}, .grants = {}};
  }
}

AuthResult Authenticator::check(const Credentials& credentials) {
  const Logins logins = credentials.logins;
  if (credentials.certificate_cn && may(logins, Login::Certificate, true))
    return check_certificate(credentials);
  // 3.x has no password without a user name, so beside a token it may be empty.
  const bool has_name = credentials.username && !credentials.username->empty();
  if (has_name && !broker::is_id_allowed(*credentials.username)) return refused();
  if (credentials.password) {
    const std::string_view shown = credentials.password->reveal();
    const Jwt jwts = jwt();
    const bool is_jwt = jwts.verifier && is_jwt_like(shown);
    const bool is_token = is_jwt || shown.starts_with(kTokenPrefix);
    if (may(logins, is_token ? Login::Token : Login::Password, true)) {
      if (is_jwt) return check_jwt(credentials, jwts);
      if (is_token) return check_token(credentials);
      return has_name ? check_password(credentials) : refused();
    }
  }
  if (credentials.username || credentials.password ||
      !may(logins, Login::Anonymous, options_.allow_anonymous))
    return refused();
  AuthResult anonymous{.outcome = Outcome::Ok, .principal = {}, .grants = {}};
  anonymous.grants.is_superuser = true;
  anonymous.grants.may_see_sys = true;
  return anonymous;
}

AuthResult Authenticator::check_password(const Credentials& credentials) {
  const std::string& username = *credentials.username;
  const Secret& password = *credentials.password;
  if (username == kServiceName) {
    const auto key = db::find_api_key(pool_, sha256(password.reveal()));
    return key ? admit_key(*key, credentials.client_id) : refused();
  }
  const auto device = db::is_device_id(username) ? db::find_device(pool_, username) : std::nullopt;
  if (device && is_device_secret(*device, password)) {
    if (device->scram.empty()) db::keep_scram(pool_, *device, new_verifier(password));
    return admit(account_of(*device), credentials.client_id);
  }
  return check_user(credentials, device && !device->secret_hash.empty());
}

AuthResult Authenticator::check_user(const Credentials& credentials, bool is_device_known) {
  const std::string& username = *credentials.username;
  if (throttle_->is_blocked(username, credentials.address)) {
    return {.outcome = Outcome::Throttled, .principal = {}, .grants = {}};
  }
  const auto user = db::find_user(pool_, username);
  const bool has_password = user && !user->password_hash.empty();
  if (has_password && is_proven(*credentials.password, user->password_hash)) {
    throttle_->forget(username, credentials.address);
    if (user->scram.empty()) db::keep_scram(pool_, *user, new_verifier(*credentials.password));
    return admit(account_of(*user), credentials.client_id);
  }
  if (options_.webhook && !has_password && !is_device_known) return check_webhook(credentials);
  if (!has_password) spend_password_time(*credentials.password);
  throttle_->count_failure(username, credentials.address);
  return refused();
}

bool Authenticator::is_proven(const Secret& password, const std::string& phc) {
  if (proven_->has(password, phc)) return true;
  if (!is_password(password, phc)) return false;
  proven_->add(password, phc);
  return true;
}

AuthResult Authenticator::check_token(const Credentials& credentials) {
  const auto owner = db::find_token_owner(pool_, sha256(credentials.password->reveal()), utc_now());
  if (!owner || !is_theirs(credentials, owner->user.username)) return refused();
  AuthResult result = admit(account_of(owner->user), credentials.client_id);
  result.expires_at = owner->expires_at;
  result.token_login = owner->login_id;
  return result;
}

AuthResult Authenticator::check_jwt(const Credentials& credentials, const Jwt& jwts) {
  const auto verified = jwts.verifier->verify(credentials.password->reveal(), utc_now());
  const auto refuse = [&](const std::string& why) {
    log(LogLevel::Info, "auth.jwt_refused", "a JWT from " + credentials.address + " is refused: " + why);
    return refused();
  };
  if (const auto* refusal = std::get_if<JwtRefusal>(&verified)) return refuse(refusal->why);
  const auto& claims = std::get<JwtClaims>(verified);
  if (!broker::is_id_allowed(claims.username)) return refuse("its user name cannot be one here");
  if (!is_theirs(credentials, claims.username)) return refuse("it is not of the user that was named");
  auto user = db::find_user(pool_, claims.username);
  if (!user && jwts.creates_users) user = db::add_user(pool_, claims.username, "");
  if (!user) return refuse("there is no user " + claims.username);
  AuthResult result = admit(account_of(*user), credentials.client_id);
  result.is_admin = claims.is_admin;
  result.has_publish_scope = claims.has_publish_scope;
  result.expires_at = claims.expires_at;
  return result;
}

void Authenticator::use_jwt(std::shared_ptr<const JwtVerifier> verifier, bool creates_users) {
  const std::lock_guard lock(jwt_mutex_);
  jwt_ = {std::move(verifier), creates_users};
}

Authenticator::Jwt Authenticator::jwt() const {
  const std::lock_guard lock(jwt_mutex_);
  return jwt_;
}

AuthResult Authenticator::check_certificate(const Credentials& credentials) {
  const std::string& name = *credentials.certificate_cn;
  if (!broker::is_id_allowed(name)) return refused();
  if (const auto device = db::is_device_id(name) ? db::find_device(pool_, name) : std::nullopt)
    return admit(account_of(*device), credentials.client_id);
  const auto user = db::find_user(pool_, name);
  return user ? admit(account_of(*user), credentials.client_id) : refused();
}

Authenticator::Account Authenticator::account_of(const db::User& user) {
  return {{Kind::User, std::to_string(user.id.value), user.username}, digest_of(user.password_hash)};
}

Authenticator::Account Authenticator::account_of(const db::Device& device) {
  return {{Kind::Device, device.id, device.id}, digest_of(device.secret_hash)};
}

AuthResult Authenticator::admit(Account account, const std::string& client_id) {
  db::Permissions permissions = db::load_permissions(pool_, account.principal, account.principal.name);
  AuthResult result{.outcome = Outcome::Ok, .principal = std::move(account.principal), .grants = {}};
  result.credential = account.credential;
  result.grants.device_ids = std::move(permissions.device_ids);
  if (result.principal.kind == Kind::Device) result.grants.device_ids = {result.principal.id};
  std::sort(result.grants.device_ids.begin(), result.grants.device_ids.end());
  result.grants.rules = to_rules(permissions.rules, result.principal.name, client_id);
  return result;
}

AuthResult Authenticator::admit_key(const db::ApiKey& key, const std::string& client_id) {
  const broker::Principal principal{Kind::Service, std::to_string(key.id), std::string(kServiceName)};
  const db::Permissions permissions = db::load_permissions(pool_, principal, key.name);
  AuthResult result{.outcome = Outcome::Ok, .principal = principal, .grants = {}};
  result.credential = digest_of(key.hash);
  result.is_admin = key.has_scope("admin");
  result.has_publish_scope = key.has_scope("publish");
  result.grants.may_see_sys = true;
  if (result.has_publish_scope) result.grants.publish_filters = key.filters;
  if (key.has_scope("subscribe")) result.grants.subscribe_filters = key.filters;
  result.grants.rules = to_rules(permissions.rules, principal.name, client_id);
  return result;
}

AuthResult Authenticator::grants_for(const broker::Principal& principal, const std::string& client_id) {
  try {
    switch (principal.kind) {
      case Kind::Anonymous:
        return check({});
      case Kind::User: {
        const auto user = db::find_user_by_id(pool_, broker::UserId{std::stoll(principal.id)});
        return user ? admit(account_of(*user), client_id) : refused();
      }
      case Kind::Device: {
        const auto device = db::find_device(pool_, principal.id);
        return device ? admit(account_of(*device), client_id) : refused();
      }
      case Kind::Service: {
        const auto key = db::find_api_key_by_id(pool_, std::stoll(principal.id));
        return key ? admit_key(*key, client_id) : refused();
      }
    }
  } catch (const db::StorageAway&) {
    return {.outcome = Outcome::StorageAway, .principal = {}, .grants = {}};
  }
  return refused();
}

}  // namespace wake::gateway
