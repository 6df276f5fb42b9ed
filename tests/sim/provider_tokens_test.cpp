#include "tests/sim/provider_tokens.hpp"

#include <gtest/gtest.h>

#include "tests/sim/test_keys.hpp"

namespace wake::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

struct ProviderTokensTest : testing::Test {
  std::string check(std::optional<std::string> header, Time now = kNoon, ConnectionId connection = 1) {
    const char* refusal =
        tokens.check(connection, header ? std::optional<std::string_view>(*header) : std::nullopt, now);
    return refusal ? refusal : "taken";
  }
  Settings settings;
  ProviderTokens tokens{test_apns_keys(), "production", settings};
};

TEST_F(ProviderTokensTest, TakesATokenItCanVerify) {
  const auto token = bearer(0, kNoon);
  EXPECT_EQ(check(token), "taken");
  EXPECT_EQ(check(token, kNoon + minutes(59)), "taken");
}

TEST_F(ProviderTokensTest, NamesWhatIsMissingOrNotAToken) {
  EXPECT_EQ(check(std::nullopt), "MissingProviderToken");
  EXPECT_EQ(check("bearer nonsense"), "InvalidProviderToken");
  EXPECT_EQ(check("basic abc"), "InvalidProviderToken");
}

TEST_F(ProviderTokensTest, RefusesASignatureOfAnotherKey) {
  auto token = bearer(0, kNoon);
  const auto other = bearer(2, kNoon);
  token.replace(token.rfind('.'), std::string::npos, other.substr(other.rfind('.')));
  EXPECT_EQ(check(token), "InvalidProviderToken");
}

TEST_F(ProviderTokensTest, RefusesADerSignature) {
  const auto& key = test_apns_keys()[0];
  const auto good =
      sign_jwt("ES256", key.key_id, {{"iss", key.team_id}, {"iat", unix_seconds(kNoon)}}, key.key.get());
  auto jwt = parse_jwt(good);
  ASSERT_TRUE(jwt);
  EXPECT_TRUE(verify(*jwt, key.key.get()));
  jwt->signature = "\x30\x44" + jwt->signature;
  EXPECT_FALSE(verify(*jwt, key.key.get()));
}

TEST_F(ProviderTokensTest, RefusesATeamThatIsNotTheKeys) {
  const auto& key = test_apns_keys()[0];
  const nlohmann::json claims = {{"iss", "TEAM000009"}, {"iat", unix_seconds(kNoon)}};
  EXPECT_EQ(check("bearer " + sign_jwt("ES256", key.key_id, claims, key.key.get())), "InvalidProviderToken");
}

TEST_F(ProviderTokensTest, RefusesAKeyOfTheOtherEnvironment) {
  EXPECT_EQ(check(bearer(1, kNoon)), "BadEnvironmentKeyIdInToken");
}

TEST_F(ProviderTokensTest, RefusesARevokedKey) {
  const auto token = bearer(0, kNoon);
  EXPECT_EQ(check(token), "taken");
  settings.revoked_keys = {"KEYFORALL1"};
  EXPECT_EQ(check(token), "InvalidProviderToken");
}

TEST_F(ProviderTokensTest, TakesATokenOfExactlyOneHourAndNotASecondMore) {
  const auto token = bearer(0, kNoon);
  EXPECT_EQ(check(token, kNoon + minutes(60)), "taken");
  EXPECT_EQ(check(token, kNoon + minutes(60) + seconds(1)), "ExpiredProviderToken");
}

TEST_F(ProviderTokensTest, StaysWedgedAfterAnExpiredTokenUntilTheConnectionIsNew) {
  EXPECT_EQ(check(bearer(0, kNoon - minutes(61))), "ExpiredProviderToken");
  EXPECT_EQ(check(bearer(0, kNoon)), "ExpiredProviderToken");
  EXPECT_EQ(check(bearer(0, kNoon), kNoon, 2), "taken");
  settings.wedge_after_expired = false;
  EXPECT_EQ(check(bearer(0, kNoon)), "taken");
}

TEST_F(ProviderTokensTest, RefusesAChangeBeforeTwentyMinutesAndGoesOnWithTheOldToken) {
  const auto first = bearer(0, kNoon), second = bearer(0, kNoon + minutes(19));
  EXPECT_EQ(check(first), "taken");
  EXPECT_EQ(check(second, kNoon + minutes(19)), "TooManyProviderTokenUpdates");
  EXPECT_EQ(check(first, kNoon + minutes(19)), "taken");
  EXPECT_EQ(check(second, kNoon + minutes(20)), "taken");
}

TEST_F(ProviderTokensTest, LetsAnotherKeyOfTheTeamTakeOverAtOnce) {
  EXPECT_EQ(check(bearer(0, kNoon)), "taken");
  EXPECT_EQ(check(bearer(3, kNoon), kNoon + seconds(1)), "taken");
}

TEST_F(ProviderTokensTest, KeepsAConnectionToOneTeam) {
  EXPECT_EQ(check(bearer(0, kNoon)), "taken");
  EXPECT_EQ(check(bearer(2, kNoon)), "UnrelatedKeyIdInToken");
  EXPECT_EQ(check(bearer(2, kNoon), kNoon, 2), "taken");
}

TEST_F(ProviderTokensTest, CountsChangesOverAllConnectionsOnlyWhenAsked) {
  EXPECT_EQ(check(bearer(0, kNoon)), "taken");
  EXPECT_EQ(check(bearer(0, kNoon + seconds(1)), kNoon, 2), "taken");
  settings.token_change_per_key = true;
  EXPECT_EQ(check(bearer(0, kNoon + seconds(2)), kNoon, 3), "TooManyProviderTokenUpdates");
}

}  // namespace
}  // namespace wake::sim
