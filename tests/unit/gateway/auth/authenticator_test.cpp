#include "gateway/auth/authenticator.hpp"

#include <gtest/gtest.h>

#include "db/account_store.hpp"
#include "db/migrate.hpp"
#include "gateway/auth/password.hpp"
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

TEST_F(AuthenticatorTest, TokenServesWithNoNameOrItsOwnersOnly) {
  const auto user = db::add_user(pool_, "ann", "$argon2id$none");
  db::add_access_token(
      pool_, sha256("wat_1"), user->id,
      std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()) +
          std::chrono::hours(1));
  Authenticator authenticator(pool_, {});
  EXPECT_EQ(authenticator.authenticate(named("ann", "wat_1")).outcome, Outcome::Ok);
  EXPECT_EQ(authenticator.authenticate(named("bob", "wat_1")).outcome, Outcome::Refused);
  Credentials nameless;
  nameless.password = Secret("wat_1");
  EXPECT_EQ(authenticator.authenticate(nameless).principal.name, "ann");
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

}  // namespace
}  // namespace wake::gateway
