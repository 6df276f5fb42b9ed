#include "tests/sim/oauth.hpp"

#include <gtest/gtest.h>

#include "tests/sim/test_keys.hpp"

namespace wake::sim {
namespace {

using Json = nlohmann::json;
constexpr const char* kUri = "https://localhost:1/token";

struct OAuthTest : testing::Test {
  OAuthTest() { oauth.set_token_uri(kUri); }
  Json claims() const {
    return {{"iss", account.client_email},
            {"scope", "https://www.googleapis.com/auth/firebase.messaging"},
            {"aud", kUri},
            {"iat", unix_seconds(kNoon)},
            {"exp", unix_seconds(kNoon) + 3600}};
  }
  Verdict ask(const Json& wanted, EVP_PKEY* key = nullptr, bool revoked = false) {
    const auto jwt = sign_jwt("RS256", account.private_key_id, wanted, key ? key : account.key.get());
    return oauth.exchange(
        post("/token", {{"content-type", "application/x-www-form-urlencoded"}},
             "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + jwt),
        3599, revoked, kNoon);
  }
  std::string reason_with(const char* claim, const Json& value) {
    Json changed = claims();
    changed[claim] = value;
    return ask(changed).reason;
  }
  ServiceAccount account = test_account();
  OAuth oauth{account};
};

TEST_F(OAuthTest, HandsOutATokenThatIsGoodForItsLifetime) {
  const auto verdict = ask(claims());
  ASSERT_TRUE(verdict.accepted()) << verdict.reply.body;
  const auto body = Json::parse(verdict.reply.body);
  EXPECT_EQ(body["expires_in"], 3599);
  EXPECT_EQ(body["token_type"], "Bearer");
  const auto token = body["access_token"].get<std::string>();
  EXPECT_EQ(oauth.state_of(token, kNoon + std::chrono::seconds(3598)), AccessState::Valid);
  EXPECT_EQ(oauth.state_of(token, kNoon + std::chrono::seconds(3599)), AccessState::Expired);
  EXPECT_EQ(oauth.state_of("ya29.other", kNoon), AccessState::Unknown);
}

TEST_F(OAuthTest, ChecksEveryClaim) {
  const auto now = unix_seconds(kNoon);
  EXPECT_EQ(reason_with("iss", "other@example"), "invalid_grant");
  EXPECT_EQ(reason_with("aud", "https://elsewhere/token"), "invalid_grant");
  EXPECT_EQ(reason_with("aud", "https://oauth2.googleapis.com/token"), "");
  EXPECT_EQ(reason_with("exp", now + 3601), "invalid_grant");
  EXPECT_EQ(reason_with("exp", "soon"), "invalid_grant");
  EXPECT_EQ(reason_with("iat", now + 301), "invalid_grant");
  EXPECT_EQ(reason_with("scope", "https://www.googleapis.com/auth/drive"), "invalid_scope");
  Json old = claims();
  old["iat"] = now - 7200;
  old["exp"] = now - 3600;
  EXPECT_EQ(ask(old).reason, "invalid_grant");
}

TEST_F(OAuthTest, RefusesTheSignatureOfAnotherKey) {
  const Key other(EVP_RSA_gen(2048));
  const auto verdict = ask(claims(), other.get());
  EXPECT_EQ(verdict.reason, "invalid_grant");
  EXPECT_EQ(verdict.reply.status, 400);
}

TEST_F(OAuthTest, RefusesARevokedAccountAndARequestThatIsNoForm) {
  EXPECT_EQ(ask(claims(), nullptr, true).reason, "invalid_grant");
  EXPECT_EQ(oauth.exchange(post("/token", {}, ""), 3599, false, kNoon).reason, "invalid_request");
  const Headers form = {{"content-type", "application/x-www-form-urlencoded"}};
  EXPECT_EQ(oauth.exchange(post("/token", form, "grant_type=password"), 3599, false, kNoon).reason,
            "unsupported_grant_type");
}

}  // namespace
}  // namespace wake::sim
