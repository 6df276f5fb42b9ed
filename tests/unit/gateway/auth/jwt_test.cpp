#include "gateway/auth/jwt.hpp"

#include <gmock/gmock.h>

#include "signing_key.hpp"

namespace wake::gateway {
namespace {

using nlohmann::json;
using test::SigningKey;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'800'000'000;
const broker::UtcTime kNowTime{std::chrono::seconds(kNow)};

json ann(std::int64_t exp = kNow + 600) { return {{"sub", "ann"}, {"exp", exp}}; }

/// "" when it is good, else why not.
std::string why_not(const JwtVerifier& verifier, const std::string& token) {
  const auto verified = verifier.verify(token, kNowTime);
  const auto* refusal = std::get_if<JwtRefusal>(&verified);
  return refusal != nullptr ? refusal->why : "";
}
JwtClaims claims_of(const JwtVerifier& verifier, const std::string& token) {
  return std::get<JwtClaims>(verifier.verify(token, kNowTime));
}

const SigningKey& es_key() {
  static const SigningKey key("ES256", "es");
  return key;
}
const SigningKey& rs_key() {
  static const SigningKey key("RS256", "rs");
  return key;
}

TEST(Jwt, EachAlgorithmIsCheckedByTheKeyOfItsOwn) {
  for (const char* alg : {"RS256", "PS256", "ES256", "EdDSA"}) {
    const SigningKey key(alg, "k");
    const JwtVerifier verifier(key.jwks(), {});
    EXPECT_EQ(why_not(verifier, key.sign(ann())), "") << alg;
    std::string damaged = key.sign(ann());
    damaged[damaged.size() - 20] = damaged[damaged.size() - 20] == 'A' ? 'B' : 'A';
    EXPECT_NE(why_not(verifier, damaged), "") << alg;
    EXPECT_NE(why_not(verifier, SigningKey(alg, "k").sign(ann())), "") << alg << ": another key of that kid";
  }
}

TEST(Jwt, TheTokenDoesNotChooseTheAlgorithm) {
  const JwtVerifier verifier(rs_key().jwks(), {});
  EXPECT_EQ(why_not(verifier, rs_key().sign(ann())), "");
  const std::string text = test::base64url(R"({"alg":"none"})") + '.' + test::base64url(ann().dump());
  for (const std::string& forged :
       {text + ".", rs_key().sign({{"alg", "PS256"}, {"kid", "rs"}}, ann()),
        rs_key().sign({{"kid", "rs"}}, ann()), rs_key().sign({{"alg", "RS384"}, {"kid", "rs"}}, ann()),
        SigningKey::sign_hs256(rs_key().jwk()["n"].get<std::string>(), ann())}) {
    EXPECT_EQ(why_not(verifier, forged), "none of the keys has signed it") << forged.substr(0, 40);
  }
}

TEST(Jwt, KidChoosesTheKeyAndWithoutOneAnyOfTheAlgorithmServes) {
  const JwtVerifier verifier(json{{"keys", {rs_key().jwk(), es_key().jwk()}}}.dump(), {});
  EXPECT_EQ(why_not(verifier, es_key().sign(ann())), "");
  EXPECT_EQ(why_not(verifier, es_key().sign({{"alg", "ES256"}}, ann())), "");
  EXPECT_NE(why_not(verifier, es_key().sign({{"alg", "ES256"}, {"kid", "rs"}}, ann())), "");
  EXPECT_NE(why_not(verifier, es_key().sign({{"alg", "ES256"}, {"kid", "es"}, {"crit", {"x"}}}, ann())), "");
}

TEST(Jwt, TimesAreCheckedWithTheLeeway) {
  config::AuthOptions options;
  options.jwt_leeway = std::chrono::seconds(10);
  const JwtVerifier verifier(es_key().jwks(), options);
  const auto with = [&](const char* name, const json& value) {
    json claims = ann();
    claims[name] = value;
    return why_not(verifier, es_key().sign(claims));
  };
  EXPECT_EQ(with("exp", kNow - 9), "");
  EXPECT_EQ(with("exp", kNow - 10), "it has expired");
  EXPECT_EQ(with("exp", kNow + 0.5), "");
  EXPECT_THAT(with("exp", "tomorrow"), HasSubstr("exp"));
  EXPECT_THAT(with("exp", -1), HasSubstr("exp"));
  EXPECT_THAT(with("exp", 1e300), HasSubstr("exp"));
  EXPECT_EQ(with("nbf", kNow + 10), "");
  EXPECT_THAT(with("nbf", kNow + 11), HasSubstr("nbf"));
  EXPECT_EQ(with("iat", kNow + 10), "");
  EXPECT_THAT(with("iat", kNow + 11), HasSubstr("iat"));
  EXPECT_THAT(why_not(verifier, es_key().sign({{"sub", "ann"}})), HasSubstr("exp"))
      << "one for ever is refused";
  EXPECT_EQ(claims_of(verifier, es_key().sign(ann())).expires_at, kNowTime + std::chrono::seconds(610));
  EXPECT_LT(claims_of(verifier, es_key().sign(ann(250'000'000'000))).expires_at,
            kNowTime + std::chrono::hours(24 * 366 * 11));
}

TEST(Jwt, IssuerAudienceAndTheClaimsAreAsConfigured) {
  config::AuthOptions options;
  options.jwt_issuer = "https://id";
  options.jwt_audience = "wakemq";
  options.jwt_user_claim = "preferred_username";
  options.jwt_scope_claim = "scope";
  const JwtVerifier verifier(es_key().jwks(), options);
  json claims = {{"iss", "https://id"}, {"aud", {"other", "wakemq"}},  {"exp", kNow + 60},
                 {"sub", "7"},          {"preferred_username", "ann"}, {"scope", "openid admin"}};
  const JwtClaims good = claims_of(verifier, es_key().sign(claims));
  EXPECT_EQ(good.username, "ann");
  EXPECT_TRUE(good.is_admin);
  EXPECT_FALSE(good.has_publish_scope);
  claims["scope"] = {"publish", "administrator"};
  EXPECT_FALSE(claims_of(verifier, es_key().sign(claims)).is_admin);
  EXPECT_TRUE(claims_of(verifier, es_key().sign(claims)).has_publish_scope);
  const auto without = [&](const char* name, const json& value) {
    json changed = claims;
    changed[name] = value;
    return why_not(verifier, es_key().sign(changed));
  };
  EXPECT_THAT(without("iss", "https://id/"), HasSubstr("iss"));
  EXPECT_THAT(without("aud", "wakemq2"), HasSubstr("aud"));
  EXPECT_THAT(without("aud", json::array()), HasSubstr("aud"));
  EXPECT_THAT(without("preferred_username", 7), HasSubstr("preferred_username"));
}

TEST(Jwt, WhatIsNoneIsRefusedAndHarmsNobody) {
  const JwtVerifier verifier(es_key().jwks(), {});
  for (const std::string& token : std::vector<std::string>{
           "", ".", "..", "...", "eyJ.eyJ.x", "eyJhbGciOiJFUzI1NiJ9..", "a.b", "e!.e.e",
           std::string(9000, 'e'), test::base64url("[1]") + "." + test::base64url("{}") + ".AA",
           es_key().sign(json::array({1}))}) {
    EXPECT_NE(why_not(verifier, token), "") << token.substr(0, 40);
  }
}

std::string fault(const std::string& jwks) {
  try {
    parse_jwks(jwks);
    return {};
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

TEST(Jwks, FaultyOnesAreRefusedWhole) {
  EXPECT_THAT(fault("{"), HasSubstr("JWK Set"));
  EXPECT_THAT(fault(R"({"keys":7})"), HasSubstr("JWK Set"));
  EXPECT_THAT(fault(R"({"keys":[]})"), HasSubstr("no key"));
  EXPECT_THAT(fault(SigningKey("RS256", "short", 1024).jwks()), HasSubstr("2048"));
  json damaged = es_key().jwk();
  damaged["x"] = damaged["y"];
  EXPECT_THAT(fault(json{{"keys", {rs_key().jwk(), damaged}}}.dump()), HasSubstr("\"es\" is damaged"));
  damaged["x"] = "%";
  EXPECT_THAT(fault(json{{"keys", json::array({damaged})}}.dump()), HasSubstr("base64url"));
}

TEST(Jwks, KeysOfOtherUsesAndTypesArePassedOver) {
  json encrypts = rs_key().jwk();
  encrypts["use"] = "enc";
  json unnamed = es_key().jwk();
  unnamed.erase("alg");
  const json secret = {{"kty", "oct"}, {"alg", "HS256"}, {"k", "c2VjcmV0"}};
  json confused = rs_key().jwk();
  confused["alg"] = "ES256";
  const auto keys = parse_jwks(json{{"keys", {encrypts, secret, confused, unnamed}}}.dump());
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(keys[0].kid, "es");
  EXPECT_EQ(keys[0].alg, "ES256");
}

}  // namespace
}  // namespace wake::gateway
