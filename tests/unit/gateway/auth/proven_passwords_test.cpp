#include "gateway/auth/proven_passwords.hpp"

#include <gtest/gtest.h>

namespace wake::gateway {
namespace {

const std::string kHash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA";

TEST(ProvenPasswords, KnowsWhatWasProvenAndNothingElse) {
  ProvenPasswords proven;
  EXPECT_FALSE(proven.has(Secret("right"), kHash));
  proven.add(Secret("right"), kHash);
  EXPECT_TRUE(proven.has(Secret("right"), kHash));
  EXPECT_FALSE(proven.has(Secret("wrong"), kHash));
  EXPECT_FALSE(proven.has(Secret(""), kHash + "right")) << "hash and password do not run into each other";
}

TEST(ProvenPasswords, AChangedPasswordIsUnknownAtOnce) {
  ProvenPasswords proven;
  proven.add(Secret("right"), kHash);
  EXPECT_FALSE(proven.has(Secret("right"), kHash + "x"));
}

TEST(ProvenPasswords, ForgetsTheLongestUnusedBeyondItsLimit) {
  ProvenPasswords proven(2);
  proven.add(Secret("a"), kHash);
  proven.add(Secret("b"), kHash);
  EXPECT_EQ(proven.size(), 2u);
  EXPECT_TRUE(proven.has(Secret("a"), kHash));
  proven.add(Secret("c"), kHash);
  EXPECT_EQ(proven.size(), 2u);
  EXPECT_TRUE(proven.has(Secret("a"), kHash));
  EXPECT_FALSE(proven.has(Secret("b"), kHash));
  EXPECT_TRUE(proven.has(Secret("c"), kHash));
}

}  // namespace
}  // namespace wake::gateway
