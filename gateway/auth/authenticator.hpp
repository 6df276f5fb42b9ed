// One chain for MQTT and REST: who is it, and what may it do with topics. Blocking (SQL, argon2): call it
// from worker threads. Fails closed: what cannot be looked up is not let in.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "broker-core/access/grants.hpp"
#include "broker-core/types.hpp"
#include "gateway/auth/logins.hpp"
#include "gateway/auth/secret.hpp"

namespace wake::db {
class Pool;
struct ApiKey;
struct Device;
struct User;
}  // namespace wake::db

namespace wake::gateway {

class JwtVerifier;
class LoginThrottle;
class ProvenPasswords;
class Webhook;
struct WebhookQuestion;
struct WebhookStatus;
struct WebhookVerdict;

/// What a client showed. Nothing in it is trusted yet.
struct Credentials {
  std::optional<std::string> username;
  std::optional<Secret> password;             // MQTT password, Basic password, Bearer token, JWT
  std::optional<std::string> certificate_cn;  // of a client certificate that TLS has verified
  std::string client_id;                      // MQTT only; replaces %c in rules
  std::string address;                        // peer without its port; failed log-ins are slowed per address
  Logins logins = 0;                          // what the listener lets in
  std::string protocol = "http";              // of the listener, for the webhook
  bool may_wait_for_webhook = false;          // asked on one of the webhook's own threads
};

struct AuthResult {
  enum class Outcome {
    Ok,
    Refused,       // wrong, unknown or missing; which of them is not told
    Throttled,     // too many wrong passwords for this name from this address; try again in a minute
    StorageAway,   // PostgreSQL cannot be asked: MQTT 5.0 0x88, 3.x 3, HTTP 503
    WebhookAway,   // nor the back end: the same
    NeedsWebhook,  // go on by continue_with_webhook(), with may_wait_for_webhook
  };
  Outcome outcome = Outcome::Refused;
  broker::Principal principal;
  broker::Grants grants;
  // What REST may do, beyond topics. Devices have none, users only by their JWT.
  bool is_admin = false;
  bool has_publish_scope = false;
  std::optional<broker::UtcTime> expires_at{};  // of the token that was shown
  std::int64_t token_login = 0;                 // the log-in that its access token belongs to; 0: none
  std::uint64_t credential = 0;  // of password, secret or key: another one when that was changed
};

/// One step of an enhanced authentication (MQTT 5.0 §4.12). Nothing in it is trusted yet but `state`, which
/// comes back from our own last answer.
struct AuthStep {
  std::string method;
  std::string data;   // of the client; never logged
  std::string state;  // empty at the first step
  std::string client_id;
  Logins logins = 0;  // what the listener lets in
  std::string address;
};

struct AuthStepResult {
  enum class Kind { Continue, Done, BadMethod };
  Kind kind = Kind::Done;
  AuthResult result;  // Done
  std::string data;   // for the client; never logged
  std::string state;  // Continue
};

struct AuthenticatorOptions {
  bool allow_anonymous = false;  // [auth] allow_anonymous
  int max_failures =
      20;  // wrong passwords per account and address in one minute, 5 times as many per address
  std::shared_ptr<Webhook> webhook{};  // [auth] webhook_url; null: none
};

class Authenticator {
 public:
  Authenticator(db::Pool& pool, AuthenticatorOptions options);
  ~Authenticator();
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  /// Order: the certificate's CN as the user name of a user or device, whatever else was shown (as with
  /// Mosquitto's use_identity_as_username); an access token or JWT as the password (no user name, or its
  /// user's); "api-key" and its key; a device and its secret; user name and password; the webhook, for who
  /// has no secret and no password here; nobody at all, when allowed. A token, password or certificate that
  /// the listener does not let in is not looked at. Never throws for what a client sent. Thread: any worker,
  /// with may_wait_for_webhook only one of continue_with_webhook().
  AuthResult authenticate(const Credentials& credentials);

  /// Runs `work` where the back end may be waited for. False: as many wait as may; that is WebhookAway.
  bool continue_with_webhook(std::function<void()> work);

  /// Empty: there is none. Thread: any.
  std::optional<WebhookStatus> webhook_status() const;

  /// From now on JWTs are judged by this; null: there are none. `creates_users`: an unknown user's JWT makes
  /// the account. Thread: any.
  void use_jwt(std::shared_ptr<const JwtVerifier> verifier, bool creates_users);

  /// SCRAM-SHA-256 for users and devices that have a verifier: in two steps, the first never tells whether
  /// the name exists. Wrong proofs count as wrong passwords. Thread: any worker.
  AuthStepResult step(const AuthStep& step);

  /// The same principal's grants as of now: after a pairing, a rule or a key changed. A principal that no
  /// longer exists is Refused. `client_id` as in Credentials.
  AuthResult grants_for(const broker::Principal& principal, const std::string& client_id);

 private:
  struct Jwt {
    std::shared_ptr<const JwtVerifier> verifier;
    bool creates_users = false;
  };

  /// Who it is, and a digest of what it must show.
  struct Account {
    broker::Principal principal;
    std::uint64_t credential = 0;
  };
  static Account account_of(const db::User& user);
  static Account account_of(const db::Device& device);

  AuthResult check(const Credentials& credentials);
  AuthResult check_password(const Credentials& credentials);
  AuthResult check_user(const Credentials& credentials, bool is_device_known);
  bool is_proven(const Secret& password, const std::string& phc);
  AuthResult check_certificate(const Credentials& credentials);
  AuthResult check_token(const Credentials& credentials);
  AuthResult check_jwt(const Credentials& credentials, const Jwt& jwt);
  Jwt jwt() const;
  AuthResult check_webhook(const Credentials& credentials);
  AuthResult ask_webhook(const Credentials& credentials, const WebhookQuestion& question);
  AuthResult judge(const Credentials& credentials, const WebhookVerdict& verdict);
  std::optional<Account> find_or_add(const std::string& name, bool is_device);
  struct ScramEntry;
  ScramEntry find_scram(const std::string& name);
  AuthStepResult challenge(const AuthStep& step);
  AuthStepResult finish(const AuthStep& step);
  AuthResult admit(Account account, const std::string& client_id);
  AuthResult admit_key(const db::ApiKey& key, const std::string& client_id);

  db::Pool& pool_;
  AuthenticatorOptions options_;
  std::unique_ptr<LoginThrottle> throttle_;
  std::unique_ptr<ProvenPasswords> proven_;
  mutable std::mutex jwt_mutex_;
  Jwt jwt_;
};

}  // namespace wake::gateway
