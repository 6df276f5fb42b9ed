#include "gateway/auth/secret.hpp"

#include <ostream>
#include <set>
#include <type_traits>

#include <gtest/gtest.h>

#include "gateway/auth/failure_throttle.hpp"
#include "gateway/auth/password.hpp"

namespace wake::gateway {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};
static_assert(!Printable<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);

TEST(Secrets, AreNewEachTimeAndSayWhatTheyAre) {
  EXPECT_TRUE(make_api_key().reveal().starts_with("wk_"));
  EXPECT_TRUE(make_access_token().reveal().starts_with("wat_"));
  EXPECT_EQ(make_device_secret().reveal().size(), 43U);
  EXPECT_NE(make_device_secret().reveal(), make_device_secret().reveal());
}

TEST(Secrets, PairingCodeHasNoAmbiguousSigns) {
  std::set<char> seen;
  for (int i = 0; i < 500; ++i) {
    const std::string code = make_pairing_code();
    ASSERT_EQ(code.size(), 8U);
    seen.insert(code.begin(), code.end());
  }
  EXPECT_EQ(seen.size(), 30U);
  for (const char c : {'0', 'O', '1', 'I', 'L', 'U'}) EXPECT_FALSE(seen.contains(c));
}

TEST(Secrets, CompareByLengthAndEveryByte) {
  EXPECT_TRUE(is_equal_constant_time("abc", "abc"));
  EXPECT_FALSE(is_equal_constant_time("abc", "abd"));
  EXPECT_FALSE(is_equal_constant_time("abc", "ab"));
}

TEST(Passwords, VerifyOnlyTheirOwnHash) {
  const std::string phc = hash_password(Secret("correct horse"));
  EXPECT_TRUE(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_NE(phc, hash_password(Secret("correct horse")));
  EXPECT_TRUE(is_password(Secret("correct horse"), phc));
  EXPECT_FALSE(is_password(Secret("wrong horse"), phc));
  EXPECT_FALSE(is_password(Secret("correct horse"), "not a hash"));
  EXPECT_FALSE(is_password(Secret(std::string(kMaxPasswordBytes + 1, 'x')), phc));
}

TEST(FailureThrottle, BlocksAtTheLimitForgetsOnSuccessAndWithTime) {
  FailureThrottle throttle({.max_failures = 2, .window = std::chrono::seconds(10), .max_keys = 2});
  const broker::SteadyTime start{std::chrono::seconds(100)};
  throttle.count_failure("a", start);
  EXPECT_FALSE(throttle.is_blocked("a", start));
  throttle.count_failure("a", start);
  EXPECT_TRUE(throttle.is_blocked("a", start));
  EXPECT_FALSE(throttle.is_blocked("b", start));
  EXPECT_FALSE(throttle.is_blocked("a", start + std::chrono::seconds(10)));
  throttle.count_failure("c", start + std::chrono::seconds(11));
  throttle.count_failure("c", start + std::chrono::seconds(11));
  throttle.forget("c");
  EXPECT_FALSE(throttle.is_blocked("c", start + std::chrono::seconds(11)));
}

}  // namespace
}  // namespace wake::gateway
