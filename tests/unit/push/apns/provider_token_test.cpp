#include "push/apns/provider_token.hpp"

#include <gtest/gtest.h>

#include "../fixtures.hpp"
#include "../keys.hpp"

namespace wake::push::apns {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;

class ProviderTokens : public testing::Test {
 protected:
  static inline const KeyPair kKey = make_ec_key("P-256");
  ProviderTokenMint mint_{kKey.pem, "ABC123DEFG", "DEF123GHIJ"};
};

TEST_F(ProviderTokens, CarryWhatAppleAsksFor) {
  const std::string bearer = mint_.newest(kAt).bearer;
  ASSERT_TRUE(bearer.starts_with("bearer "));
  const auto parts = split_jwt(bearer.substr(7));
  EXPECT_EQ(from_base64url(parts[0]), R"({"alg":"ES256","kid":"ABC123DEFG"})");
  EXPECT_EQ(from_base64url(parts[1]), R"({"iss":"DEF123GHIJ","iat":1795266000})");
  EXPECT_TRUE(verifies(kKey, parts[0] + '.' + parts[1], der_of(from_base64url(parts[2]))));
}

TEST_F(ProviderTokens, AreMintedOnlyWhenTheNewestIsOver30MinutesOld) {
  EXPECT_EQ(mint_.newest(kAt).generation, 1U);
  EXPECT_EQ(mint_.newest(kAt + 30min).generation, 1U);
  EXPECT_EQ(mint_.newest(kAt + 30min + 1s).generation, 2U);
}

TEST_F(ProviderTokens, AConnectionKeepsItsOwnFor50Minutes) {
  PinnedToken pinned;
  EXPECT_EQ(pinned.use(1, mint_, kAt).generation, 1U);
  mint_.newest(kAt + 31min);
  EXPECT_EQ(pinned.use(1, mint_, kAt + 49min).generation, 1U);
  EXPECT_EQ(pinned.use(1, mint_, kAt + 50min).generation, 2U);
}

TEST_F(ProviderTokens, NoConnectionSeesTwoTokensWithin20Minutes) {
  // Whenever it opens: its first token is at most 30 minutes old and is kept until it is 50 minutes old.
  for (int opened = 0; opened <= 120; ++opened) {
    PinnedToken pinned;
    std::uint64_t generation = pinned.use(1, mint_, kAt + std::chrono::minutes{opened}).generation;
    int since = opened;
    for (int minute = opened; minute < opened + 200; ++minute) {
      const auto& token = pinned.use(1, mint_, kAt + std::chrono::minutes{minute});
      ASSERT_LT(kAt + std::chrono::minutes{minute} - token.issued_at, 1h);
      if (token.generation == generation) continue;
      ASSERT_GE(minute - since, 20);
      generation = token.generation;
      since = minute;
    }
    mint_ = ProviderTokenMint(kKey.pem, "ABC123DEFG", "DEF123GHIJ");
    mint_.newest(kAt);
  }
}

TEST_F(ProviderTokens, ANewConnectionStartsWithTheNewest) {
  PinnedToken pinned;
  pinned.use(1, mint_, kAt);
  EXPECT_EQ(pinned.use(2, mint_, kAt + 31min).generation, 2U);
  EXPECT_EQ(pinned.generation_of(1), 0U);
  EXPECT_EQ(pinned.generation_of(2), 2U);
}

TEST_F(ProviderTokens, ABurstOfRefusalsMintsOnce) {
  mint_.newest(kAt);
  const auto later = kAt + 25min;
  mint_.refuse(1, later);
  mint_.refuse(1, later);
  EXPECT_EQ(mint_.newest(later).generation, 2U);
}

TEST_F(ProviderTokens, AFreshTokenThatIsRefusedIsNotReplaced) {
  mint_.newest(kAt);
  mint_.refuse(1, kAt + 19min);
  EXPECT_EQ(mint_.newest(kAt + 19min).generation, 1U);
}

TEST_F(ProviderTokens, APauseHoldsMintingBack) {
  mint_.newest(kAt);
  mint_.pause(kAt + 29min);
  EXPECT_EQ(mint_.newest(kAt + 40min).generation, 1U);
  EXPECT_EQ(mint_.newest(kAt + 49min).generation, 2U);
}

TEST_F(ProviderTokens, AClockSetBackMintsAgain) {
  mint_.newest(kAt);
  EXPECT_EQ(mint_.newest(kAt - 2h).generation, 2U);
}

}  // namespace
}  // namespace wake::push::apns
