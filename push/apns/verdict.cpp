// One table. Keep Apple's words beside each row; behaviour belongs in dispatch_machine.cpp.
#include "push/apns/verdict.hpp"

#include <nlohmann/json.hpp>

namespace wake::push::apns {
namespace {

using enum Verdict;
using enum Reaction;

constexpr VerdictRow kTable[] = {
    {200, "", Accepted, None, "Success."},
    {400, "BadCollapseId", DropMessage, Alarm, "The collapse identifier exceeds the maximum allowed size."},
    {400, "BadDeviceToken", RemoveToken, TryOtherEnvironment,
     "The device token is invalid, or it does not match the environment."},
    {400, "BadExpirationDate", DropMessage, Alarm, "The apns-expiration value is invalid."},
    {400, "BadMessageId", DropMessage, Alarm, "The apns-id value is invalid."},
    {400, "BadPriority", DropMessage, Alarm, "The apns-priority value is invalid."},
    {400, "InvalidPushType", DropMessage, Alarm, "The apns-push-type value is invalid."},
    {400, "DuplicateHeaders", DropMessage, Alarm, "One or more headers are repeated."},
    {400, "MissingDeviceToken", DropMessage, Alarm, "The device token is not specified in the path."},
    {400, "PayloadEmpty", DropMessage, Alarm, "The message payload is empty."},
    {400, "BadTopic", ChannelDown, None, "The apns-topic value is invalid."},
    {400, "TopicDisallowed", ChannelDown, None, "Pushing to this topic is not allowed."},
    {400, "MissingTopic", ChannelDown, None, "The apns-topic header is missing and required."},
    {400, "DeviceTokenNotForTopic", RemoveToken, None,
     "The device token does not match the specified topic."},
    {400, "IdleTimeout", RetryElsewhere, RetireConnection, "Idle timeout."},
    {403, "ExpiredProviderToken", RefreshCredential, RetireConnection,
     "The provider token is stale (over an hour)."},
    {403, "InvalidProviderToken", ChannelDown, None,
     "The provider token is not valid, or the token signature can't be verified."},
    {403, "MissingProviderToken", ChannelDown, Alarm,
     "No provider certificate was used, and the authorization header is missing."},
    {403, "UnrelatedKeyIdInToken", RetryElsewhere, RetireConnection,
     "The key ID in the provider token is unrelated to this connection's first one."},
    {403, "BadEnvironmentKeyIdInToken", ChannelDown, None, "The key is of the other environment."},
    {403, "BadEnvironmentKeyInToken", ChannelDown, None, "The same, as spelt on the wire."},
    {403, "BadCertificate", ChannelDown, None, "The certificate is invalid."},
    {403, "BadCertificateEnvironment", ChannelDown, None,
     "The client certificate is for the wrong environment."},
    {403, "Forbidden", ChannelDown, None, "The specified action is not allowed."},
    {404, "BadPath", DropMessage, Alarm, "The request contained an invalid :path value."},
    {405, "MethodNotAllowed", DropMessage, Alarm, "The specified :method value isn't POST."},
    {410, "Unregistered", RemoveToken, None, "The device token is inactive for the specified topic."},
    {410, "ExpiredToken", RemoveToken, None, "The device token has expired."},
    {413, "PayloadTooLarge", DropMessage, WithoutPayload, "The message payload is too large."},
    {429, "TooManyRequests", HoldDevice, None,
     "Too many requests were made consecutively to the same device token."},
    {429, "TooManyProviderTokenUpdates", Retry, PauseMinting,
     "The provider's authentication token is being updated too often."},
    {500, "InternalServerError", Retry, None, "An internal server error occurred."},
    {503, "ServiceUnavailable", Retry, None, "The service is unavailable."},
    {503, "Shutdown", RetryElsewhere, RetireConnection, "The APNs server is shutting down."},
};

constexpr VerdictRow kUnknownGone{410, "", RemoveToken, None, "410 of any reason: the token is inactive."};
constexpr VerdictRow kUnknownTooMany{429, "", HoldDevice, None, "429 of any reason: too many."};
constexpr VerdictRow kUnknownRefusal{400, "", DropMessage, Alarm, "Another 4xx: never sent again as it is."};
constexpr VerdictRow kUnknownFailure{500, "", Retry, None,
                                     "Another 5xx, or a status that APNs does not document."};

const VerdictRow& classify_by_status(int status) {
  if (status == 200) return kTable[0];
  if (status == 410) return kUnknownGone;
  if (status == 429) return kUnknownTooMany;
  if (status >= 400 && status < 500) return kUnknownRefusal;
  return kUnknownFailure;
}

void read_body(std::string_view body, Answer& answer) {
  if (body.empty()) return;
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return;
  if (auto it = json.find("reason"); it != json.end() && it->is_string())
    answer.reason = it->get<std::string>();
  if (auto it = json.find("timestamp"); it != json.end() && it->is_number_integer() && answer.status == 410) {
    constexpr std::int64_t kYear3000Ms = 32'503'680'000'000;
    const auto ms = it->get<std::int64_t>();
    if (ms >= 0 && ms < kYear3000Ms) answer.invalid_since = broker::UtcTime{std::chrono::milliseconds{ms}};
  }
}

}  // namespace

std::span<const VerdictRow> verdict_table() { return kTable; }

const VerdictRow& classify(int status, std::string_view reason) {
  for (const VerdictRow& row : kTable) {
    if (row.status == status && row.reason == reason) return row;
  }
  return classify_by_status(status);
}

Answer understand(const Response& response) {
  Answer answer;
  answer.status = response.status;
  answer.provider_id = response.apns_id;
  if (response.status == 200) return answer;
  answer.retry_after = response.retry_after;
  read_body(response.body, answer);
  const VerdictRow& row = classify(response.status, answer.reason);
  answer.verdict = row.verdict;
  answer.reaction = row.reaction;
  answer.is_counted = row.verdict != RefreshCredential && row.verdict != ChannelDown;
  if (answer.reason.empty()) answer.reason = "HTTP " + std::to_string(response.status);
  return answer;
}

}  // namespace wake::push::apns
