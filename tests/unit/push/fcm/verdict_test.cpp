// Google's table, typed in a second time from the fact sheet (§3.5), with bodies as Google writes them.
#include "push/fcm/verdict.hpp"

#include <set>

#include <gtest/gtest.h>

namespace wake::push::fcm {
namespace {

using enum Verdict;
using enum Reaction;

constexpr const char* kFcmError =
    R"({"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":")";

std::string body_of(const std::string& status, const std::string& details, const std::string& message = "") {
  return R"({"error":{"code":0,"status":")" + status + R"(","message":")" + message + R"(","details":[)" +
         details + "]}}";
}
std::string with_code(const std::string& status, const std::string& code, const std::string& message = "") {
  return body_of(status, kFcmError + code + "\"}", message);
}
std::string violation_of(const std::string& field) {
  return R"({"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":")" + field +
         "\"}]}";
}
std::string quota_of(const std::string& subject) {
  return R"({"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"subject":")" + subject +
         "\"}]}";
}

struct Row {
  const char* name;
  int status;
  std::string body;
  Verdict verdict;
  Reaction reaction;
  std::string reason;
};

const Row kRows[] = {
    {"Accepted", 200, R"({"name":"projects/p/messages/1"})", Accepted, None, ""},
    {"PayloadFault", 400, body_of("INVALID_ARGUMENT", violation_of("message.android.ttl")), DropMessage,
     Alarm, "INVALID_ARGUMENT"},
    {"TokenFieldViolated", 400, body_of("INVALID_ARGUMENT", violation_of("message.token")), RemoveToken,
     IfOthersAccepted, "INVALID_ARGUMENT"},
    {"TokenMalformed", 400,
     with_code("INVALID_ARGUMENT", "INVALID_ARGUMENT",
               "The registration token is not a valid FCM registration token"),
     RemoveToken, IfOthersAccepted, "INVALID_ARGUMENT"},
    {"TooBig", 400, with_code("INVALID_ARGUMENT", "INVALID_ARGUMENT", "Android message is too big"),
     DropMessage, Alarm, "INVALID_ARGUMENT"},
    {"Unauthenticated", 401, body_of("UNAUTHENTICATED", ""), RefreshCredential, None, "UNAUTHENTICATED"},
    {"ThirdParty", 401, with_code("UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"), ChannelDown, ThisTargetOnly,
     "THIRD_PARTY_AUTH_ERROR"},
    {"ThirdPartyOldName", 401, with_code("UNAUTHENTICATED", "APNS_AUTH_ERROR"), ChannelDown, ThisTargetOnly,
     "APNS_AUTH_ERROR"},
    {"SenderMismatch", 403, with_code("PERMISSION_DENIED", "SENDER_ID_MISMATCH"), RemoveToken, None,
     "SENDER_ID_MISMATCH"},
    {"PermissionDenied", 403, body_of("PERMISSION_DENIED", ""), ChannelDown, None, "PERMISSION_DENIED"},
    {"Unregistered", 404, with_code("NOT_FOUND", "UNREGISTERED"), RemoveToken, None, "UNREGISTERED"},
    {"WrongProject", 404, body_of("NOT_FOUND", ""), ChannelDown, None, "NOT_FOUND"},
    {"NotFcmAtAll", 404, "<html>404</html>", ChannelDown, None, "HTTP 404"},
    {"EmptyNotFound", 404, "", ChannelDown, None, "HTTP 404"},
    {"DeviceRate", 429,
     body_of("RESOURCE_EXHAUSTED", quota_of("device:x") + "," + kFcmError + "QUOTA_EXCEEDED\"}"), HoldDevice,
     None, "QUOTA_EXCEEDED"},
    {"ProjectRate", 429, with_code("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), Retry, WholeApp,
     "QUOTA_EXCEEDED"},
    {"Exhausted", 429, body_of("RESOURCE_EXHAUSTED", ""), Retry, WholeApp, "RESOURCE_EXHAUSTED"},
    {"TooManyOfNobody", 429, "", Retry, WholeApp, "HTTP 429"},
    {"Internal", 500, with_code("INTERNAL", "INTERNAL"), Retry, None, "INTERNAL"},
    {"Unavailable", 503, with_code("UNAVAILABLE", "UNAVAILABLE"), Retry, None, "UNAVAILABLE"},
    {"UnspecifiedServer", 502, with_code("UNKNOWN", "UNSPECIFIED_ERROR"), Retry, None, "UNSPECIFIED_ERROR"},
    {"UnspecifiedClient", 409, with_code("UNKNOWN", "UNSPECIFIED_ERROR"), DropMessage, Alarm,
     "UNSPECIFIED_ERROR"},
    {"HtmlForbidden", 403, "<html>", ChannelDown, None, "HTTP 403"},
    {"HtmlUnauthorized", 401, "<html>", RefreshCredential, None, "HTTP 401"},
};

class FcmVerdictRow : public testing::TestWithParam<Row> {};

TEST_P(FcmVerdictRow, IsReadFromTheAnswer) {
  const Row& row = GetParam();
  const Answer answer = understand({row.status, std::chrono::seconds{3}, row.body});
  EXPECT_EQ(answer.verdict, row.verdict);
  EXPECT_EQ(answer.reaction, row.reaction);
  EXPECT_EQ(answer.reason, row.reason);
}
INSTANTIATE_TEST_SUITE_P(Google, FcmVerdictRow, testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(FcmVerdict, EveryRowOfTheTableIsReached) {
  std::set<std::string> reached;
  for (const Row& row : kRows) reached.emplace(classify(row.status, parse_error(row.body)).words);
  for (const VerdictRow& row : verdict_table())
    EXPECT_TRUE(reached.contains(std::string(row.words))) << row.reason;
}

TEST(FcmVerdict, OddJsonIsNoError) {
  for (const char* body :
       {"", "[]", "{", R"({"error":7})", R"({"error":{"details":{}}})", R"({"error":{"details":[7]}})",
        R"({"error":{"details":[{"@type":7,"fieldViolations":[7],"violations":[null]}]}})"}) {
    const ErrorBody error = parse_error(body);
    EXPECT_TRUE(error.error_code.empty() && error.status.empty() && !error.is_about_token) << body;
  }
}

}  // namespace
}  // namespace wake::push::fcm
