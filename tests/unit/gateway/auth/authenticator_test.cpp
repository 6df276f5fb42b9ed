#include "gateway/auth/authenticator.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>

#include <gtest/gtest.h>

#include "db/account_store.hpp"
#include "db/migrate.hpp"
#include "gateway/auth/jwt.hpp"
#include "gateway/auth/password.hpp"
#include "signing_key.hpp"
#include "tests/support/postgres.hpp"

namespace wake::gateway {
namespace {

using Outcome = AuthResult::Outcome;
using Kind = broker::Principal::Kind;

class AuthenticatorTest : public testing::Test {
 protected:
  AuthenticatorTest() : pool_({.url = migrated(database_), .pool = 2}) {}

  static Credentials named(const std::string& username, const std::string& password) {
    Credentials credentials;
    credentials.username = username;
    credentials.password = Secret(password);
    credentials.client_id = "c1";
    return credentials;
  }
  static Credentials certified(const std::string& name) {
    Credentials credentials;
    credentials.certificate_cn = name;
    return credentials;
  }
  void add_device(const std::string& id) { db::add_device(pool_, id, "", sha256("secret")); }

  test::FreshDatabase database_;
  db::Pool pool_;

 private:
  static std::string migrated(const test::FreshDatabase& database) {
    db::migrate(database.url());
    return database.url();
  }
};

TEST_F(AuthenticatorTest, DeviceMayWhereItsIdIsALevel) {
  add_device("CAM1");
  Authenticator authenticator(pool_, {});
  const AuthResult device = authenticator.authenticate(named("CAM1", "secret"));
  ASSERT_EQ(device.outcome, Outcome::Ok);
  EXPECT_EQ(device.principal, (broker::Principal{Kind::Device, "CAM1", "CAM1"}));
  EXPECT_TRUE(device.grants.may_publish("x/CAM1/y"));
  EXPECT_FALSE(device.grants.may_publish("x/CAM2/y"));
  EXPECT_EQ(authenticator.authenticate(named("CAM1", "other")).outcome, Outcome::Refused);
}

TEST_F(AuthenticatorTest, AChangedSecretIsAnotherCredential) {
  add_device("CAM1");
  add_device("CAM2");
  Authenticator authenticator(pool_, {});
  const AuthResult device = authenticator.authenticate(named("CAM1", "secret"));
  const auto now = [&] { return authenticator.grants_for(device.principal, "c1").credential; };
  EXPECT_EQ(now(), device.credential);
  database_.sql("UPDATE devices SET secret_hash = sha256('other') WHERE id = 'CAM2'");
  EXPECT_EQ(now(), device.credential);
  database_.sql("UPDATE devices SET secret_hash = sha256('other') WHERE id = 'CAM1'");
  EXPECT_NE(now(), device.credential);
}

TEST_F(AuthenticatorTest, TokenServesWithNoNameOrItsOwnersOnly) {
  const auto user = db::add_user(pool_, "ann", "$argon2id$none");
  const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  const auto end = now + std::chrono::hours(1);
  const std::int64_t login =
      db::add_login(pool_, user->id, {sha256("family"), sha256("part"), sha256("wat_1"), end, end}, now);
  Authenticator authenticator(pool_, {});
  const AuthResult ann = authenticator.authenticate(named("ann", "wat_1"));
  EXPECT_EQ(ann.outcome, Outcome::Ok);
  EXPECT_EQ(ann.expires_at, end);
  EXPECT_EQ(ann.token_login, login);
  EXPECT_EQ(authenticator.authenticate(named("bob", "wat_1")).outcome, Outcome::Refused);
  Credentials nameless;
  nameless.password = Secret("wat_1");
  EXPECT_EQ(authenticator.authenticate(nameless).principal.name, "ann");
  EXPECT_EQ(authenticator.authenticate(named("", "wat_1")).principal.name, "ann");
}

TEST_F(AuthenticatorTest, KeysScopesDecideWhatItsFiltersMean) {
  db::add_api_key(pool_, {0, "shop", {"subscribe"}, {"shop/#"}, {}}, sha256("wk_1"));
  Authenticator authenticator(pool_, {});
  const AuthResult service = authenticator.authenticate(named("api-key", "wk_1"));
  ASSERT_EQ(service.outcome, Outcome::Ok);
  EXPECT_TRUE(service.grants.may_subscribe("shop/1"));
  EXPECT_FALSE(service.grants.may_publish("shop/1"));
  EXPECT_FALSE(service.is_admin);
  EXPECT_EQ(authenticator.authenticate(named("api-key", "wk_2")).outcome, Outcome::Refused);
}

/// Of this thread: how busy the machine is does not count.
std::chrono::nanoseconds cpu_time() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

/// argon2 takes tens of milliseconds; whoever is refused without it is refused in a hundredth of that.
TEST_F(AuthenticatorTest, AWrongPasswordCostsTheSameWhetherItsNameExistsOrNot) {
  db::add_user(pool_, "ann", hash_password(Secret("the right one")));
  db::add_user(pool_, "jwt-only", "");
  add_device("CAM1");
  Authenticator authenticator(pool_, {});
  const auto cost_of = [&](const char* name) {
    auto least = std::chrono::nanoseconds::max();
    for (int i = 0; i < 3; ++i) {
      const auto before = cpu_time();
      EXPECT_EQ(authenticator.authenticate(named(name, "wrong")).outcome, Outcome::Refused);
      least = std::min(least, cpu_time() - before);
    }
    return least;
  };
  const auto of_known = cost_of("ann");
  for (const char* name : {"nobody", "jwt-only", "CAM1"}) {
    EXPECT_LT(cost_of(name), of_known * 3) << name;
    EXPECT_GT(cost_of(name), of_known / 3) << name;
  }
}

TEST_F(AuthenticatorTest, CertificateNamesADeviceOrUserThatExists) {
  add_device("CAM1");
  Authenticator authenticator(pool_, {});
  EXPECT_EQ(authenticator.authenticate(certified("CAM1")).principal.kind, Kind::Device);
  EXPECT_EQ(authenticator.authenticate(certified("CAM2")).outcome, Outcome::Refused);
  EXPECT_EQ(authenticator.authenticate(certified("CAM/#")).outcome, Outcome::Refused);
}

TEST_F(AuthenticatorTest, ACertificatesNameCountsWhateverTheConnectSays) {
  add_device("CAM1");
  add_device("CAM2");
  Authenticator authenticator(pool_, {});
  for (const char* username : {"CAM2", "nobody", "CAM/#", ""}) {
    Credentials both = named(username, "secret");
    both.certificate_cn = "CAM1";
    EXPECT_EQ(authenticator.authenticate(both).principal.id, "CAM1") << username;
    both.certificate_cn = "CAM3";
    EXPECT_EQ(authenticator.authenticate(both).outcome, Outcome::Refused) << "no password instead of it";
  }
}

TEST_F(AuthenticatorTest, NobodyEntersOnlyWhenAllowed) {
  EXPECT_EQ(Authenticator(pool_, {}).authenticate({}).outcome, Outcome::Refused);
  Authenticator open(pool_, {.allow_anonymous = true});
  const AuthResult anonymous = open.authenticate({});
  EXPECT_EQ(anonymous.outcome, Outcome::Ok);
  EXPECT_TRUE(anonymous.grants.is_superuser);
  EXPECT_FALSE(anonymous.is_admin);
  EXPECT_EQ(open.authenticate(named("ann", "wrong horse")).outcome, Outcome::Refused);
}

TEST_F(AuthenticatorTest, AListenerLetsInOnlyWhatItNames) {
  add_device("CAM1");
  Authenticator closed(pool_, {});
  Authenticator open(pool_, {.allow_anonymous = true});
  const auto outcome = [&](Authenticator& authenticator, Credentials credentials,
                           const std::vector<std::string>& words) {
    credentials.logins = logins_of(words);
    return authenticator.authenticate(credentials).outcome;
  };
  EXPECT_EQ(outcome(closed, named("CAM1", "secret"), {"password"}), Outcome::Ok);
  EXPECT_EQ(outcome(closed, named("CAM1", "secret"), {"token", "certificate", "anonymous"}),
            Outcome::Refused);
  EXPECT_EQ(outcome(closed, certified("CAM1"), {"certificate"}), Outcome::Ok);
  EXPECT_EQ(outcome(closed, certified("CAM1"), {"password"}), Outcome::Refused);
  EXPECT_EQ(outcome(closed, {}, {"anonymous"}), Outcome::Ok);
  EXPECT_EQ(outcome(open, {}, {"password"}), Outcome::Refused) << "narrower than [auth]";
  Credentials both = named("CAM1", "not looked at");
  both.certificate_cn = "CAM1";
  EXPECT_EQ(outcome(closed, both, {"certificate"}), Outcome::Ok);
  EXPECT_EQ(outcome(closed, both, {"password"}), Outcome::Refused);
  both.certificate_cn = "CAM2";
  both.password = Secret("secret");
  EXPECT_EQ(outcome(closed, both, {"password"}), Outcome::Ok) << "the certificate is for TLS alone";
}

TEST_F(AuthenticatorTest, RuleTakesNoWildcardFromAClientId) {
  database_.sql("INSERT INTO acl_rules (subject, action, filter) VALUES ('all', 'all', 'in/%c/%u')");
  add_device("CAM1");
  Authenticator authenticator(pool_, {});
  Credentials credentials = named("CAM1", "secret");
  EXPECT_TRUE(authenticator.authenticate(credentials).grants.may_publish("in/c1/CAM1"));
  credentials.client_id = "+";
  EXPECT_TRUE(authenticator.authenticate(credentials).grants.rules.empty());
  EXPECT_EQ(authenticator.authenticate(named("+", "secret")).outcome, Outcome::Refused);
}

TEST_F(AuthenticatorTest, GrantsFollowThePairingAndEndWithThePrincipal) {
  const auto user = db::add_user(pool_, "ann", "$argon2id$none");
  add_device("CAM1");
  Authenticator authenticator(pool_, {});
  const broker::Principal ann{Kind::User, std::to_string(user->id.value), "ann"};
  EXPECT_FALSE(authenticator.grants_for(ann, "c1").grants.may_subscribe("x/CAM1"));
  database_.sql("INSERT INTO pairings (user_id, device_id) VALUES (1, 'CAM1')");
  EXPECT_TRUE(authenticator.grants_for(ann, "c1").grants.may_subscribe("x/CAM1"));
  db::remove_user(pool_, "ann");
  EXPECT_EQ(authenticator.grants_for(ann, "c1").outcome, Outcome::Refused);
}

TEST_F(AuthenticatorTest, PostgresAwayLetsNobodyIn) {
  db::Pool away({.url = "host=/nonexistent", .pool = 1}, std::chrono::milliseconds(50));
  EXPECT_EQ(Authenticator(away, {}).authenticate(named("CAM1", "secret")).outcome, Outcome::StorageAway);
}

TEST_F(AuthenticatorTest, AGuesserElsewhereDoesNotLockTheOwnerOut) {
  db::add_user(pool_, "ann", hash_password(Secret("correct horse")));
  Authenticator authenticator(pool_, {.max_failures = 3});
  const auto try_from = [&](const std::string& address, const std::string& password) {
    Credentials credentials = named("ann", password);
    credentials.address = address;
    return authenticator.authenticate(credentials).outcome;
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(try_from("192.0.2.1", "wrong horse"), Outcome::Refused);
  EXPECT_EQ(try_from("192.0.2.1", "correct horse"), Outcome::Throttled) << "even if he guesses it now";
  EXPECT_EQ(try_from("192.0.2.2", "correct horse"), Outcome::Ok);
}

TEST_F(AuthenticatorTest, AGuesserWithManyIpv6AddressesOfHisNetworkIsOne) {
  db::add_user(pool_, "ann", hash_password(Secret("correct horse")));
  Authenticator authenticator(pool_, {.max_failures = 3});
  const auto try_from = [&](const std::string& address, const std::string& password) {
    Credentials credentials = named("ann", password);
    credentials.address = address;
    return authenticator.authenticate(credentials).outcome;
  };
  for (const char* address : {"[2001:db8::1]", "[2001:db8::2]", "[2001:db8:0:0:ffff::3]"})
    EXPECT_EQ(try_from(address, "wrong horse"), Outcome::Refused);
  EXPECT_EQ(try_from("[2001:db8::4]", "correct horse"), Outcome::Throttled);
  EXPECT_EQ(try_from("[2001:db8:0:1::1]", "correct horse"), Outcome::Ok);
}

/// An identity provider whose tokens are good for a minute.
class ByJwt : public AuthenticatorTest {
 protected:
  ByJwt() { authenticator_.use_jwt(std::make_shared<const JwtVerifier>(key_.jwks(), options_), false); }
  std::string token(const std::string& sub) const {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return key_.sign({{"sub", sub},
                      {"exp", std::chrono::duration_cast<std::chrono::seconds>(now).count() + 60},
                      {"scope", "admin"}});
  }
  static config::AuthOptions with_scope() {
    config::AuthOptions options;
    options.jwt_scope_claim = "scope";
    return options;
  }
  const test::SigningKey key_{"ES256", "k"};
  const config::AuthOptions options_ = with_scope();
  Authenticator authenticator_{pool_, {}};
};

TEST_F(ByJwt, ActsForTheUserItNames) {
  const auto user = db::add_user(pool_, "ann", "$argon2id$none");
  const AuthResult ann = authenticator_.authenticate(named("ann", token("ann")));
  ASSERT_EQ(ann.outcome, Outcome::Ok);
  EXPECT_EQ(ann.principal, (broker::Principal{Kind::User, std::to_string(user->id.value), "ann"}));
  EXPECT_TRUE(ann.is_admin);
  EXPECT_TRUE(ann.expires_at);
  Credentials nameless;
  nameless.password = Secret(token("ann"));
  EXPECT_EQ(authenticator_.authenticate(nameless).principal.name, "ann");
  EXPECT_EQ(authenticator_.authenticate(named("bob", token("ann"))).outcome, Outcome::Refused);
}

TEST_F(ByJwt, NamesNobodyUnlessAccountsAreMadeByIt) {
  EXPECT_EQ(authenticator_.authenticate(named("", token("new"))).outcome, Outcome::Refused);
  authenticator_.use_jwt(std::make_shared<const JwtVerifier>(key_.jwks(), options_), true);
  EXPECT_EQ(authenticator_.authenticate(named("", token("new"))).outcome, Outcome::Ok);
  EXPECT_EQ(database_.sql("SELECT password_hash = '' FROM users WHERE username = 'new'"), "t");
  EXPECT_EQ(authenticator_.authenticate(named("new", "")).outcome, Outcome::Refused);
  add_device("CAM1");
  for (const char* name : {"CAM1", "api-key", "a/b", "#", ""})
    EXPECT_EQ(authenticator_.authenticate(named("", token(name))).outcome, Outcome::Refused) << name;
}

TEST_F(ByJwt, IsATokenForAListener) {
  db::add_user(pool_, "ann", "$argon2id$none");
  Credentials credentials = named("ann", token("ann"));
  credentials.logins = logins_of({"password"});
  EXPECT_EQ(authenticator_.authenticate(credentials).outcome, Outcome::Refused);
  credentials.logins = logins_of({"token"});
  EXPECT_EQ(authenticator_.authenticate(credentials).outcome, Outcome::Ok);
  authenticator_.use_jwt(nullptr, false);
  EXPECT_EQ(authenticator_.authenticate(credentials).outcome, Outcome::Refused);
}

}  // namespace
}  // namespace wake::gateway
