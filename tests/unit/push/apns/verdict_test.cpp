// Apple's table, typed in a second time from the fact sheet (§2.6): a slip in one of the two shows.
#include "push/apns/verdict.hpp"

#include <set>

#include <gtest/gtest.h>

namespace wake::push::apns {
namespace {

using enum Verdict;
using enum Reaction;

struct Row {
  int status;
  const char* reason;
  Verdict verdict;
  Reaction reaction = None;
};

const Row kRows[] = {
    {200, "", Accepted},
    {400, "BadCollapseId", DropMessage, Alarm},
    {400, "BadDeviceToken", RemoveToken, TryOtherEnvironment},
    {400, "BadExpirationDate", DropMessage, Alarm},
    {400, "BadMessageId", DropMessage, Alarm},
    {400, "BadPriority", DropMessage, Alarm},
    {400, "InvalidPushType", DropMessage, Alarm},
    {400, "DuplicateHeaders", DropMessage, Alarm},
    {400, "MissingDeviceToken", DropMessage, Alarm},
    {400, "PayloadEmpty", DropMessage, Alarm},
    {400, "BadTopic", ChannelDown},
    {400, "TopicDisallowed", ChannelDown},
    {400, "MissingTopic", ChannelDown},
    {400, "DeviceTokenNotForTopic", RemoveToken},
    {400, "IdleTimeout", RetryElsewhere, RetireConnection},
    {403, "ExpiredProviderToken", RefreshCredential, RetireConnection},
    {403, "InvalidProviderToken", ChannelDown},
    {403, "MissingProviderToken", ChannelDown, Alarm},
    {403, "UnrelatedKeyIdInToken", RetryElsewhere, RetireConnection},
    {403, "BadEnvironmentKeyIdInToken", ChannelDown},
    {403, "BadEnvironmentKeyInToken", ChannelDown},
    {403, "BadCertificate", ChannelDown},
    {403, "BadCertificateEnvironment", ChannelDown},
    {403, "Forbidden", ChannelDown},
    {404, "BadPath", DropMessage, Alarm},
    {405, "MethodNotAllowed", DropMessage, Alarm},
    {410, "Unregistered", RemoveToken},
    {410, "ExpiredToken", RemoveToken},
    {413, "PayloadTooLarge", DropMessage, WithoutPayload},
    {429, "TooManyRequests", HoldDevice},
    {429, "TooManyProviderTokenUpdates", Retry, PauseMinting},
    {500, "InternalServerError", Retry},
    {503, "ServiceUnavailable", Retry},
    {503, "Shutdown", RetryElsewhere, RetireConnection},
};

class ApnsVerdictRow : public testing::TestWithParam<Row> {};

TEST_P(ApnsVerdictRow, IsReadFromTheAnswer) {
  const Row& row = GetParam();
  const std::string body = *row.reason ? R"({"reason":")" + std::string(row.reason) + "\"}" : "";
  const Answer answer = understand({row.status, "some-id", std::nullopt, body});
  EXPECT_EQ(answer.verdict, row.verdict);
  EXPECT_EQ(answer.reaction, row.reaction);
  EXPECT_EQ(answer.reason, row.reason);
  EXPECT_EQ(answer.provider_id, "some-id");
  EXPECT_EQ(answer.is_counted, row.verdict != ChannelDown && row.verdict != RefreshCredential);
}
INSTANTIATE_TEST_SUITE_P(Apple, ApnsVerdictRow, testing::ValuesIn(kRows),
                         [](const auto& row) { return std::to_string(row.param.status) + row.param.reason; });

TEST(ApnsVerdict, TheTableHoldsNoRowThatIsNotTested) {
  std::set<std::pair<int, std::string>> tested;
  for (const Row& row : kRows) tested.emplace(row.status, row.reason);
  for (const VerdictRow& row : verdict_table()) {
    EXPECT_TRUE(tested.contains({row.status, std::string(row.reason)})) << row.status << ' ' << row.reason;
    EXPECT_FALSE(row.words.empty());
  }
  EXPECT_EQ(tested.size(), verdict_table().size());
}

TEST(ApnsVerdict, UnknownReasonsAreJudgedByStatus) {
  EXPECT_EQ(classify(400, "Novelty").verdict, DropMessage);
  EXPECT_EQ(classify(400, "Novelty").reaction, Alarm);
  EXPECT_EQ(classify(410, "Novelty").verdict, RemoveToken);
  EXPECT_EQ(classify(429, "Novelty").verdict, HoldDevice);
  EXPECT_EQ(classify(502, "").verdict, Retry);
  EXPECT_EQ(classify(302, "").verdict, Retry);
}

TEST(ApnsVerdict, TheTimeOf410IsMilliseconds) {
  const Answer answer =
      understand({410, "", std::nullopt, R"({"reason":"Unregistered","timestamp":1795176543210})"});
  ASSERT_TRUE(answer.invalid_since);
  EXPECT_EQ(answer.invalid_since->time_since_epoch(), std::chrono::milliseconds{1795176543210});
}

TEST(ApnsVerdict, NonsenseInTheBodyIsNoReason) {
  for (const char* body : {"", "<html>", "[]", "{", R"({"reason":7})", R"({"timestamp":"x"})",
                           R"({"timestamp":99999999999999999999})", R"({"timestamp":-5})"}) {
    const Answer answer = understand({410, "", std::nullopt, body});
    EXPECT_EQ(answer.verdict, RemoveToken) << body;
    EXPECT_EQ(answer.reason, "HTTP 410") << body;
    EXPECT_FALSE(answer.invalid_since) << body;
  }
}

}  // namespace
}  // namespace wake::push::apns
