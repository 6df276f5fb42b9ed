// One table. Keep Google's words beside each row; behaviour belongs in dispatch_machine.cpp.
#include "push/fcm/verdict.hpp"

#include <nlohmann/json.hpp>

namespace wake::push::fcm {
namespace {

using enum Verdict;
using enum Reaction;
using Json = nlohmann::json;

// Two refinements that are no code of Google's own, spelt so that they can be rows: the violated field is the
// token, and the exceeded rate is the device's.
constexpr std::string_view kTokenInvalid = "INVALID_ARGUMENT token";
constexpr std::string_view kDeviceRate = "QUOTA_EXCEEDED device";

constexpr VerdictRow kTable[] = {
    {200, "", Accepted, None, "The message was handed to FCM for delivery."},
    {400, "INVALID_ARGUMENT", DropMessage, Alarm,
     "Request parameters were invalid; BadRequest says which field."},
    {400, kTokenInvalid, RemoveToken, IfOthersAccepted,
     "The registration token is not a valid FCM registration token."},
    {401, "UNAUTHENTICATED", RefreshCredential, None, "Request had invalid authentication credentials."},
    {401, "THIRD_PARTY_AUTH_ERROR", ChannelDown, ThisTargetOnly,
     "APNs certificate or web push auth key was invalid or missing."},
    {401, "APNS_AUTH_ERROR", ChannelDown, ThisTargetOnly, "The same, under its old name."},
    {403, "SENDER_ID_MISMATCH", RemoveToken, None,
     "The authenticated sender ID is different from the sender ID for the registration token."},
    {403, "PERMISSION_DENIED", ChannelDown, None, "Cloud Messaging API disabled, or the role is missing."},
    {404, "UNREGISTERED", RemoveToken, None, "App instance was unregistered from FCM."},
    {404, "NOT_FOUND", ChannelDown, None, "Requested entity was not found: wrong project id."},
    {404, "", ChannelDown, None, "Not FCM's own answer: wrong project id or URL."},
    {429, kDeviceRate, HoldDevice, None, "Device message rate exceeded."},
    {429, "QUOTA_EXCEEDED", Retry, WholeApp, "Sending limit exceeded for the message target."},
    {429, "RESOURCE_EXHAUSTED", Retry, WholeApp, "Quota exceeded."},
    {429, "", Retry, WholeApp, "Too many requests."},
    {500, "INTERNAL", Retry, None, "An unknown internal error occurred."},
    {503, "UNAVAILABLE", Retry, None, "The server is overloaded."},
};

constexpr VerdictRow kUnknownCredential{401, "", RefreshCredential, None, "Another 401."};
constexpr VerdictRow kUnknownForbidden{403, "", ChannelDown, None, "Another 403."};
constexpr VerdictRow kUnknownRefusal{400, "", DropMessage, Alarm, "Another 4xx: never sent again as it is."};
constexpr VerdictRow kUnknownFailure{500, "UNSPECIFIED_ERROR", Retry, None,
                                     "No more information is available."};

const VerdictRow* find_row(int status, std::string_view reason) {
  for (const VerdictRow& row : kTable) {
    if (row.status == status && row.reason == reason) return &row;
  }
  return nullptr;
}

const VerdictRow& classify_by_status(int status) {
  if (const VerdictRow* row = find_row(status, "")) return *row;
  if (status == 401) return kUnknownCredential;
  if (status == 403) return kUnknownForbidden;
  if (status >= 400 && status < 500) return kUnknownRefusal;
  return kUnknownFailure;
}

std::string text_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

const Json& list_of(const Json& object, const char* key) {
  static const Json kNone = Json::array();
  const auto it = object.find(key);
  return it != object.end() && it->is_array() ? *it : kNone;
}

struct Violations {
  bool has_any = false;
  bool has_token = false;
};

void read_detail(const Json& detail, ErrorBody& error, Violations& violations) {
  if (!detail.is_object()) return;
  const std::string type = text_of(detail, "@type");
  if (type.ends_with("fcm.v1.FcmError")) error.error_code = text_of(detail, "errorCode");
  for (const Json& violation : list_of(detail, "fieldViolations")) {
    violations.has_any = true;
    if (violation.is_object() && text_of(violation, "field") == "message.token") violations.has_token = true;
  }
  for (const Json& violation : list_of(detail, "violations")) {
    if (!violation.is_object()) continue;
    const std::string words = text_of(violation, "subject") + ' ' + text_of(violation, "description");
    if (words.find("device") != std::string::npos || words.find("Device") != std::string::npos) {
      error.is_device_rate = true;
    }
  }
}

// Without a field violation only the text tells a bad token from, say, a message too big. Requiring it can
// only make us keep a token that is dead, never remove one that lives.
bool says_bad_token(const Json& error) {
  return text_of(error, "message").find("registration token") != std::string::npos;
}

}  // namespace

ErrorBody parse_error(std::string_view body) {
  ErrorBody result;
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return result;
  const auto it = json.find("error");
  if (it == json.end() || !it->is_object()) return result;
  result.status = text_of(*it, "status");
  Violations violations;
  for (const Json& detail : list_of(*it, "details")) read_detail(detail, result, violations);
  const bool is_guess = !violations.has_any && result.error_code == "INVALID_ARGUMENT" && says_bad_token(*it);
  result.is_about_token = violations.has_token || is_guess;
  return result;
}

std::span<const VerdictRow> verdict_table() { return kTable; }

const VerdictRow& classify(int status, const ErrorBody& error) {
  std::string_view reason = error.error_code.empty() ? error.status : error.error_code;
  if (status == 400 && reason == "INVALID_ARGUMENT" && error.is_about_token) reason = kTokenInvalid;
  if (status == 429 && error.is_device_rate) reason = kDeviceRate;
  const VerdictRow* row = find_row(status, reason);
  return row ? *row : classify_by_status(status);
}

Answer understand(const Response& response) {
  Answer answer;
  answer.status = response.status;
  if (response.status == 200) return answer;
  answer.retry_after = response.retry_after;
  const ErrorBody error = parse_error(response.body);
  const VerdictRow& row = classify(response.status, error);
  answer.verdict = row.verdict;
  answer.reaction = row.reaction;
  answer.is_counted = row.verdict != RefreshCredential && row.verdict != ChannelDown;
  answer.reason = error.error_code.empty() ? error.status : error.error_code;
  if (answer.reason.empty()) answer.reason = "HTTP " + std::to_string(response.status);
  return answer;
}

}  // namespace wake::push::fcm
