#include "gateway/test_verdict.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wake::gateway {
namespace {

using broker::Platform;
using push::Verdict;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string advice(Verdict verdict, int status, const std::string& reason,
                   Platform platform = Platform::Apns) {
  return to_verdict({verdict, status, reason, {}}, platform).advice;
}

TEST(TestVerdictAdvice, AcceptedNeedsNone) { EXPECT_THAT(advice(Verdict::Accepted, 200, ""), IsEmpty()); }

TEST(TestVerdictAdvice, AProviderOutOfReachIsNoFaultOfTheCredentials) {
  const std::string refused = "api.push.apple.com:443: connect: Connection refused";
  EXPECT_EQ(to_verdict({Verdict::Retry, 0, refused, {}}, Platform::Apns).reason, refused);
  EXPECT_THAT(advice(Verdict::Retry, 0, refused), AllOf(HasSubstr("APNs could not be reached"),
                                                        HasSubstr("firewall"), Not(HasSubstr("key_file"))));
  EXPECT_THAT(advice(Verdict::RetryElsewhere, 0, "read: end of file", Platform::Fcm),
              HasSubstr("FCM could not be reached"));
  EXPECT_THAT(advice(Verdict::Retry, 0, "a:443: resolve: Host not found"), HasSubstr("DNS"));
  EXPECT_THAT(advice(Verdict::Retry, 0, "a:443: TLS: certificate refused: expired"), HasSubstr("ca_file"));
}

TEST(TestVerdictAdvice, FollowsFromWhatTheProviderSaid) {
  EXPECT_THAT(advice(Verdict::Retry, 503, "ServiceUnavailable"), HasSubstr("trouble of its own"));
  EXPECT_THAT(advice(Verdict::RemoveToken, 400, "BadDeviceToken"), HasSubstr("register again"));
  EXPECT_THAT(advice(Verdict::ChannelDown, 403, "InvalidProviderToken"), HasSubstr("key_id"));
  EXPECT_THAT(advice(Verdict::DropMessage, 0, "no [[push.app]] in the configuration for x"),
              HasSubstr("SIGHUP"));
}

}  // namespace
}  // namespace wake::gateway
