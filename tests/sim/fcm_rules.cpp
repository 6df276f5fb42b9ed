#include "tests/sim/fcm_rules.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "tests/sim/encoding.hpp"

namespace wake::sim::fcm {
namespace {

using Json = nlohmann::json;
constexpr std::string_view kBefore = "/v1/projects/", kAfter = "/messages:send";
constexpr std::size_t kMaxData = 4096, kMaxTokenBytes = 4096;
constexpr double kMaxTtlS = 2'419'200;  // 28 days
constexpr const char* kFcmError = "type.googleapis.com/google.firebase.fcm.v1.FcmError";
constexpr const char* kBadRequest = "type.googleapis.com/google.rpc.BadRequest";

struct Row {
  std::string_view reason;
  int http;
  const char *status, *fcm_code, *message;
};
constexpr std::array<Row, 13> kProblems = {{
    {"UNREGISTERED", 404, "NOT_FOUND", "UNREGISTERED", "Requested entity was not found."},
    {"INVALID_ARGUMENT", 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT",
     "Request contains an invalid argument."},
    {"SENDER_ID_MISMATCH", 403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH", "SenderId mismatch"},
    {"QUOTA_EXCEEDED", 429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "Quota exceeded for the project."},
    {"DEVICE_QUOTA_EXCEEDED", 429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "Device message rate exceeded."},
    {"THIRD_PARTY_AUTH_ERROR", 401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR",
     "Auth error from APNS or Web Push Service"},
    {"APNS_AUTH_ERROR", 401, "UNAUTHENTICATED", "APNS_AUTH_ERROR", "Auth error from APNS"},
    {"UNAVAILABLE", 503, "UNAVAILABLE", "UNAVAILABLE", "The service is currently unavailable."},
    {"INTERNAL", 500, "INTERNAL", "INTERNAL", "Internal error encountered."},
    {"UNSPECIFIED_ERROR", 500, "UNKNOWN", "UNSPECIFIED_ERROR", "No more information is available."},
    {"UNAUTHENTICATED", 401, "UNAUTHENTICATED", "",
     "Request had invalid authentication credentials. Expected OAuth 2 access token."},
    {"PERMISSION_DENIED", 403, "PERMISSION_DENIED", "",
     "Permission 'cloudmessaging.messages.create' denied on resource."},
    {"NOT_FOUND", 404, "NOT_FOUND", "", "Requested entity was not found."},
}};

/// Names a message block may hold; one that is none of them is "Invalid JSON payload received. Unknown name".
constexpr std::array<std::string_view, 11> kMessageFields = {
    "name",        "data",  "notification", "android",   "webpush", "apns",
    "fcm_options", "token", "topic",        "condition", "fid"};
constexpr std::array<std::string_view, 10> kAndroidFields = {
    "collapse_key", "priority",       "ttl",         "restricted_package_name",  "data",
    "notification", "direct_boot_ok", "fcm_options", "bandwidth_constrained_ok", "restricted_satellite_ok"};

Problem invalid(std::string field, std::string message) {
  return {400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", std::move(message), std::move(field)};
}

template <std::size_t N>
std::optional<Problem> check_names(const Json& object, const std::array<std::string_view, N>& known,
                                   const char* where) {
  for (const auto& [name, value] : object.items()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return Problem{
        400, "INVALID_ARGUMENT", "",
        "Invalid JSON payload received. Unknown name \"" + name + "\" at '" + where + "': Cannot find field.",
        where};
  }
  return std::nullopt;
}

std::string text_at(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

const Json& block(const Json& object, const char* name) {
  static const Json kNone = Json::object();
  const auto found = object.find(name);
  return found != object.end() && found->is_object() ? *found : kNone;
}

bool is_registration_token(std::string_view token) {
  const auto good = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-' || c == ':'; };
  return !token.empty() && token.size() <= kMaxTokenBytes && std::all_of(token.begin(), token.end(), good);
}

bool is_reserved(std::string_view name) {
  return name == "from" || name == "message_type" || name.starts_with("google.") ||
         name.starts_with("gcm.notification.");
}

std::optional<Problem> check_data(const Json& message, std::size_t& bytes) {
  const auto data = message.find("data");
  if (data == message.end()) return std::nullopt;
  if (!data->is_object()) return invalid("message.data", "Invalid value at 'message.data'");
  for (const auto& [name, value] : data->items()) {
    if (!value.is_string())
      return invalid("message.data", "Invalid value at 'message.data[0].value' (TYPE_STRING)");
    if (is_reserved(name)) return invalid("message.data", "Invalid data payload key: " + name);
    bytes += name.size() + value.get_ref<const std::string&>().size();
  }
  return std::nullopt;
}

std::optional<Problem> check_target(const Json& message, Push& push) {
  int targets = 0;
  for (const char* kind : {"token", "fid", "topic", "condition"}) targets += message.contains(kind);
  if (targets != 1) return invalid("message", "Exactly one of token, fid, topic or condition is required");
  push.token = text_at(message, "token") + text_at(message, "fid");
  if (message.contains("topic") || message.contains("condition")) return std::nullopt;
  if (is_registration_token(push.token)) return std::nullopt;
  return invalid("message.token", "The registration token is not a valid FCM registration token");
}

/// "3.5s" in seconds; nullopt for anything else.
std::optional<double> duration(const std::string& text) {
  const bool digits = text.size() > 1 && text.back() == 's' &&
                      text.find_first_not_of("0123456789.") == text.size() - 1 && text.front() != '.';
  if (!digits) return std::nullopt;
  return std::strtod(text.c_str(), nullptr);
}

std::optional<Problem> check_ttl(const Json& android, Push& push, Time now) {
  double ttl_s = kMaxTtlS;
  if (const auto ttl = android.find("ttl"); ttl != android.end()) {
    const auto value = ttl->is_string() ? duration(ttl->get<std::string>()) : std::nullopt;
    if (!value) return invalid("message.android.ttl", "Invalid value at 'message.android.ttl' (Duration)");
    if (*value > kMaxTtlS) return invalid("message.android.ttl", "Ttl must be in the range of 0 to 28 days");
    ttl_s = *value;
  }
  push.storable = ttl_s > 0;
  push.expires = now + std::chrono::milliseconds(static_cast<std::int64_t>(ttl_s * 1000));
  return std::nullopt;
}

std::optional<Problem> check_android(const Json& android, Push& push, Time now) {
  if (auto problem = check_names(android, kAndroidFields, "message.android")) return problem;
  const std::string priority = text_at(android, "priority");
  const bool known = priority == "HIGH" || priority == "NORMAL" || priority == "high" || priority == "normal";
  if (android.contains("priority") && !known) {
    return invalid("message.android.priority",
                   "Invalid value at 'message.android.priority' (AndroidMessagePriority)");
  }
  push.silent = priority != "HIGH" && priority != "high";  // of a data message; see describe
  push.store_key = text_at(android, "collapse_key");
  return check_ttl(android, push, now);
}

/// The fake app draws a data message of high priority itself, with wake_id as its tag; one of normal priority
/// only wakes it. A notification block is drawn by the system, by its tag.
void describe(const Json& message, Push& push) {
  const Json &data = block(message, "data"), &android = block(message, "android");
  const Json &shared = block(message, "notification"), &own = block(android, "notification");
  const auto either = [&](const char* name) {
    return own.contains(name) ? text_at(own, name) : text_at(shared, name);
  };
  push.wake_id = text_at(data, "wake_id");
  if (shared.empty() && own.empty()) {
    push.title = text_at(data, "wake_title") + text_at(data, "title");
    push.body = text_at(data, "wake_body") + text_at(data, "body");
    push.screen_key = push.wake_id;
    return;
  }
  push.silent = false;
  push.title = either("title");
  push.body = either("body");
  push.screen_key = text_at(own, "tag");
  push.store_key = "notification";  // always collapsible, whatever collapse_key says
}

}  // namespace

std::optional<std::string> project_of(std::string_view path) {
  if (!path.starts_with(kBefore) || !path.ends_with(kAfter)) return std::nullopt;
  if (path.size() <= kBefore.size() + kAfter.size()) return std::nullopt;
  std::string project(path.substr(kBefore.size(), path.size() - kBefore.size() - kAfter.size()));
  if (project.find('/') != std::string::npos) return std::nullopt;
  return project;
}

Reply to_reply(const Problem& problem, const Json* details) {
  Json list = Json::array();
  if (!problem.fcm_code.empty()) list.push_back({{"@type", kFcmError}, {"errorCode", problem.fcm_code}});
  if (!problem.field.empty()) {
    const Json violation = {{"field", problem.field}, {"description", problem.message}};
    list.push_back({{"@type", kBadRequest}, {"fieldViolations", Json::array({violation})}});
  }
  if (details) list = *details;
  Json error = {{"code", problem.http}, {"status", problem.status}, {"message", problem.message}};
  if (!list.empty()) error["details"] = std::move(list);
  const Json body = {{"error", std::move(error)}};
  return {problem.http,
          {{"content-type", "application/json; charset=UTF-8"}},
          body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

std::optional<Problem> problem_named(std::string_view reason) {
  const auto row =
      std::find_if(kProblems.begin(), kProblems.end(), [&](const Row& r) { return r.reason == reason; });
  if (row == kProblems.end()) return std::nullopt;
  return Problem{row->http, row->status, row->fcm_code, row->message, {}};
}

Checked check_message(const Request& request, const std::string& project, Time now) {
  Checked checked;
  const auto refuse = [&](Problem problem) {
    return checked.problem = std::move(problem), std::move(checked);
  };
  const Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object() || request.body_bytes > kBodyKept) {
    return refuse({400, "INVALID_ARGUMENT", "", "Invalid JSON payload received.", "message"});
  }
  checked.validate_only = body.contains("validate_only") && body["validate_only"] == true;
  const auto found = body.find("message");
  if (found == body.end() || !found->is_object()) return refuse(invalid("message", "message is required"));
  const Json& message = *found;
  Push& push = checked.push;
  std::size_t bytes = 0;
  if (auto problem = check_names(message, kMessageFields, "message")) return refuse(*std::move(problem));
  if (auto problem = check_target(message, push)) return refuse(*std::move(problem));
  if (auto problem = check_data(message, bytes)) return refuse(*std::move(problem));
  if (auto problem = check_android(block(message, "android"), push, now)) return refuse(*std::move(problem));
  describe(message, push);
  for (const Json* notification :
       {&block(message, "notification"), &block(block(message, "android"), "notification")}) {
    bytes += notification->empty() ? 0 : notification->dump().size();
  }
  if (bytes > kMaxData) return refuse(invalid("message", "Android message is too big"));
  push.app = project;
  push.id = "projects/" + project + "/messages/0:" + std::to_string(now.time_since_epoch().count()) + "%" +
            random_hex(8);
  return checked;
}

}  // namespace wake::sim::fcm
