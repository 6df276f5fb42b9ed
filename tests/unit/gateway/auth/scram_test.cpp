#include "gateway/auth/scram.hpp"

#include <gtest/gtest.h>

namespace wake::gateway {
namespace {

// RFC 7677 §3: user "user", password "pencil".
constexpr const char* kFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr const char* kOurNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr const char* kChallenge =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr const char* kFinal =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr const char* kServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
const std::string kSalt("\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81", 16);

ScramVerifier pencil() { return make_verifier(Secret("pencil"), kSalt, 4096); }

TEST(Scram, IsTheExchangeOfRfc7677) {
  const auto first = parse_first(kFirst);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->name, "user");
  EXPECT_EQ(make_challenge(*first, kOurNonce, pencil()), kChallenge);
  EXPECT_EQ(check_proof(*first, kChallenge, kFinal, pencil()), kServerFinal);
}

TEST(Scram, RefusesAWrongProof) {
  const auto first = parse_first(kFirst);
  const auto other = make_verifier(Secret("pencils"), kSalt, 4096);
  EXPECT_FALSE(check_proof(*first, kChallenge, kFinal, other));
  EXPECT_FALSE(check_proof(*first, kChallenge, kFinal, fake_verifier("secret", "user")));
}

TEST(Scram, RefusesAFinalMessageOfAnotherExchange) {
  const auto first = parse_first(kFirst);
  const std::string final_message = kFinal;
  for (const std::string& wrong :
       {std::string(), std::string("c=biws"), "c=eSws" + final_message.substr(6),
        "c=biws,r=another" + final_message.substr(final_message.rfind(',')),
        final_message.substr(0, final_message.size() - 4), final_message + ",x=1", std::string(2000, 'x')}) {
    EXPECT_FALSE(check_proof(*first, kChallenge, wrong, pencil())) << wrong;
  }
}

TEST(Scram, RefusesFirstMessagesWithWhatIsNotOffered) {
  for (const char* wrong : {"", "n,,", "n,,n=user", "n,,r=abc", "p=tls-unique,,n=user,r=abc",
                            "y,,n=user,r=abc", "n,a=other,n=user,r=abc", "n,,m=ext,n=user,r=abc",
                            "n,,n=,r=abc", "n,,n=us=er,r=abc", "n,,n=user,r=", "n,,n=user,r=a\x01"}) {
    EXPECT_FALSE(parse_first(wrong)) << wrong;
  }
  EXPECT_EQ(parse_first("n,,n=a=2Cb=3Dc,r=x")->name, "a,b=c");
}

TEST(Scram, VerifierAsTextComesBackTheSame) {
  const std::string text = to_text(pencil());
  EXPECT_TRUE(text.starts_with("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$")) << text;
  EXPECT_EQ(to_text(*parse_verifier(text)), text);
  for (std::size_t length = 0; length < text.size(); ++length)
    EXPECT_FALSE(parse_verifier(text.substr(0, length))) << length;
  EXPECT_NE(new_verifier(Secret("pencil")), new_verifier(Secret("pencil")));
}

TEST(Scram, ANameThatNobodyHasAlwaysHasTheSameSalt) {
  EXPECT_EQ(to_text(fake_verifier("s", "ann")), to_text(fake_verifier("s", "ann")));
  EXPECT_NE(fake_verifier("s", "ann").salt, fake_verifier("s", "bob").salt);
  EXPECT_NE(fake_verifier("s", "ann").salt, fake_verifier("t", "ann").salt);
  EXPECT_EQ(fake_verifier("s", "ann").salt.size(), kSalt.size());
}

}  // namespace
}  // namespace wake::gateway
