// Keys are made here, at run time; signatures are checked with OpenSSL, not with our own code.
#include "push/signing_key.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "keys.hpp"

namespace wake::push {
namespace {

using namespace testing_support;

TEST(SigningKey, Es256IsRawAndVerifies) {
  const KeyPair pair = make_ec_key("P-256");
  const SigningKey key(SigningKey::Algorithm::Es256, pair.pem);
  for (int round = 0; round < 50; ++round) {  // r or s is shorter than 32 bytes once in 128
    const std::string jwt = key.sign_jwt(R"({"alg":"ES256"})", std::to_string(round));
    const auto parts = split_jwt(jwt);
    EXPECT_EQ(from_base64url(parts[0]), R"({"alg":"ES256"})");
    EXPECT_EQ(from_base64url(parts[1]), std::to_string(round));
    const std::string signature = from_base64url(parts[2]);
    ASSERT_EQ(signature.size(), 64U);
    EXPECT_TRUE(verifies(pair, parts[0] + '.' + parts[1], der_of(signature)));
    EXPECT_EQ(jwt.find_first_of("+/="), std::string::npos);
  }
}

TEST(SigningKey, Rs256Verifies) {
  const KeyPair pair = make_rsa_key();
  const SigningKey key(SigningKey::Algorithm::Rs256, pair.pem);
  const auto parts = split_jwt(key.sign_jwt("{}", "{}"));
  EXPECT_TRUE(verifies(pair, parts[0] + '.' + parts[1], from_base64url(parts[2])));
}

TEST(SigningKey, RefusesWhatIsNotItsKind) {
  const auto refusal = [](SigningKey::Algorithm algorithm, const std::string& pem) -> std::string {
    try {
      SigningKey(algorithm, pem);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "taken";
  };
  const std::string p256 = make_ec_key("P-256").pem;
  EXPECT_EQ(refusal(SigningKey::Algorithm::Rs256, p256), "not an RSA key, which RS256 needs");
  EXPECT_EQ(refusal(SigningKey::Algorithm::Es256, make_ec_key("P-384").pem),
            "not a P-256 key, which ES256 needs");
  EXPECT_EQ(refusal(SigningKey::Algorithm::Es256, make_rsa_key().pem), "not a P-256 key, which ES256 needs");
  EXPECT_EQ(refusal(SigningKey::Algorithm::Es256, ""), "not a private key in PEM form");
  EXPECT_EQ(refusal(SigningKey::Algorithm::Es256, p256.substr(0, p256.size() / 2)),
            "not a private key in PEM form");
}

TEST(SecretFile, NamesTheFileThatCannotBeRead) {
  try {
    read_secret_file("/nowhere/AuthKey.p8");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "/nowhere/AuthKey.p8: No such file or directory");
  }
}

}  // namespace
}  // namespace wake::push
