// One chain for MQTT and REST: who is it, and what may it do with topics. Blocking (SQL, argon2): call it
// from worker threads. Fails closed: what cannot be looked up is not let in.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "broker-core/access/grants.hpp"
#include "broker-core/types.hpp"
#include "gateway/auth/logins.hpp"
#include "gateway/auth/secret.hpp"

namespace wake::db {
class Pool;
struct ApiKey;
}  // namespace wake::db

namespace wake::gateway {

class LoginThrottle;
class ProvenPasswords;

/// What a client showed. Nothing in it is trusted yet.
struct Credentials {
  std::optional<std::string> username;
  std::optional<Secret> password;             // MQTT password, Basic password, or Bearer token
  std::optional<std::string> certificate_cn;  // of a client certificate that TLS has verified
  std::string client_id;                      // MQTT only; replaces %c in rules
  std::string address;                        // peer without its port; failed log-ins are slowed per address
  Logins logins = 0;                          // what the listener lets in
};

struct AuthResult {
  enum class Outcome {
    Ok,
    Refused,      // wrong, unknown or missing; which of them is not told
    Throttled,    // too many wrong passwords for this name or from this address; try again in a minute
    StorageAway,  // PostgreSQL cannot be asked: MQTT 5.0 0x88, 3.x 3, HTTP 503
  };
  Outcome outcome = Outcome::Refused;
  broker::Principal principal;
  broker::Grants grants;
  // What REST may do, beyond topics. Users and devices have none.
  bool is_admin = false;
  bool has_publish_scope = false;
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
};

class Authenticator {
 public:
  Authenticator(db::Pool& pool, AuthenticatorOptions options);
  ~Authenticator();
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  /// Order: the certificate's CN as the user name of a user or device, whatever else was shown (as with
  /// Mosquitto's use_identity_as_username); "api-key" and its key; a device and its secret; an access token
  /// as the password (no user name, or its user's); user name and password; nobody at all, when allowed. A
  /// token, password or certificate that the listener does not let in is not looked at. Never throws for what
  /// a client sent. Thread: any worker.
  AuthResult authenticate(const Credentials& credentials);

  /// SCRAM-SHA-256 for users and devices that have a verifier: in two steps, the first never tells whether
  /// the name exists. Wrong proofs count as wrong passwords. Thread: any worker.
  AuthStepResult step(const AuthStep& step);

  /// The same principal's grants as of now: after a pairing, a rule or a key changed. A principal that no
  /// longer exists is Refused. `client_id` as in Credentials.
  AuthResult grants_for(const broker::Principal& principal, const std::string& client_id);

 private:
  AuthResult check(const Credentials& credentials);
  AuthResult check_password(const Credentials& credentials);
  AuthResult check_user(const Credentials& credentials);
  bool is_proven(const Secret& password, const std::string& phc);
  AuthResult check_certificate(const Credentials& credentials);
  AuthResult check_token(const Credentials& credentials);
  struct ScramEntry;
  ScramEntry find_scram(const std::string& name);
  AuthStepResult challenge(const AuthStep& step);
  AuthStepResult finish(const AuthStep& step);
  AuthResult admit(broker::Principal principal, const std::string& client_id);
  AuthResult admit_key(const db::ApiKey& key, const std::string& client_id);

  db::Pool& pool_;
  AuthenticatorOptions options_;
  std::unique_ptr<LoginThrottle> throttle_;
  std::unique_ptr<ProvenPasswords> proven_;
};

}  // namespace wake::gateway
