#include "tests/sim/apns_rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <nlohmann/json.hpp>

#include "tests/sim/encoding.hpp"

namespace wake::sim::apns {
namespace {

using Json = nlohmann::json;
constexpr std::string_view kDevicePath = "/3/device/";
constexpr std::size_t kMaxToken = 200;  // hex characters; Apple promises no length, this only bounds it
constexpr std::size_t kMaxCollapseId = 64, kMaxPayload = 4096, kMaxVoipPayload = 5120;

struct PushType {
  std::string_view name, topic_suffix;
};
constexpr std::array<PushType, 11> kPushTypes = {{{"alert", ""},
                                                  {"background", ""},
                                                  {"voip", ".voip"},
                                                  {"complication", ".complication"},
                                                  {"fileprovider", ".pushkit.fileprovider"},
                                                  {"location", ".location-query"},
                                                  {"liveactivity", ".push-type.liveactivity"},
                                                  {"pushtotalk", ".voip-ptt"},
                                                  {"widgets", ".push-type.widgets"},
                                                  {"controls", ".push-type.controls"},
                                                  {"mdm", ""}}};

struct ReasonRow {
  std::string_view reason;
  int status;
};
constexpr std::array<ReasonRow, 33> kReasons = {{{"BadCollapseId", 400},
                                                 {"BadDeviceToken", 400},
                                                 {"BadExpirationDate", 400},
                                                 {"BadMessageId", 400},
                                                 {"BadPriority", 400},
                                                 {"BadTopic", 400},
                                                 {"DeviceTokenNotForTopic", 400},
                                                 {"DuplicateHeaders", 400},
                                                 {"IdleTimeout", 400},
                                                 {"InvalidPushType", 400},
                                                 {"MissingDeviceToken", 400},
                                                 {"MissingTopic", 400},
                                                 {"PayloadEmpty", 400},
                                                 {"TopicDisallowed", 400},
                                                 {"BadCertificate", 403},
                                                 {"BadCertificateEnvironment", 403},
                                                 {"BadEnvironmentKeyIdInToken", 403},
                                                 {"BadEnvironmentKeyInToken", 403},
                                                 {"ExpiredProviderToken", 403},
                                                 {"Forbidden", 403},
                                                 {"InvalidProviderToken", 403},
                                                 {"MissingProviderToken", 403},
                                                 {"UnrelatedKeyIdInToken", 403},
                                                 {"BadPath", 404},
                                                 {"MethodNotAllowed", 405},
                                                 {"ExpiredToken", 410},
                                                 {"Unregistered", 410},
                                                 {"PayloadTooLarge", 413},
                                                 {"TooManyProviderTokenUpdates", 429},
                                                 {"TooManyRequests", 429},
                                                 {"InternalServerError", 500},
                                                 {"ServiceUnavailable", 503},
                                                 {"Shutdown", 503}}};

struct Fields {  // of the headers, views into the request
  std::optional<std::string_view> topic, push_type, priority, expiration, id, collapse_id;
};

/// false when an apns-* header came twice.
bool read_headers(const Request& request, Fields& fields) {
  for (const auto& [name, value] : request.headers) {
    if (!name.starts_with("apns-")) continue;
    std::optional<std::string_view>* field = name == "apns-topic"         ? &fields.topic
                                             : name == "apns-push-type"   ? &fields.push_type
                                             : name == "apns-priority"    ? &fields.priority
                                             : name == "apns-expiration"  ? &fields.expiration
                                             : name == "apns-id"          ? &fields.id
                                             : name == "apns-collapse-id" ? &fields.collapse_id
                                                                          : nullptr;
    if (!field) continue;
    if (*field) return false;
    *field = value;
  }
  return true;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

bool is_bundle_id(std::string_view topic) {
  const auto good = [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '-' || c == '_'; };
  return !topic.empty() && topic.size() <= 255 && std::all_of(topic.begin(), topic.end(), good);
}

const char* check_topic(const Fields& fields, const PushType* type, const std::vector<std::string>& topics) {
  if (!fields.topic) return "MissingTopic";
  std::string_view bundle = *fields.topic;
  if (!is_bundle_id(bundle)) return "BadTopic";
  if (type) {
    if (!bundle.ends_with(type->topic_suffix))
      return "BadTopic";  // our choice; Apple only says which suffix to use
    bundle.remove_suffix(type->topic_suffix.size());
  }
  if (!topics.empty() && std::find(topics.begin(), topics.end(), bundle) == topics.end())
    return "TopicDisallowed";
  return nullptr;
}

/// What the payload's aps dictionary would make the phone do.
struct Effect {
  bool visible = false;  // alert, badge or sound
  bool background = false;
};

Effect effect_of(const Json& aps) {
  const auto has = [&](const char* name) { return aps.contains(name); };
  const auto available = aps.find("content-available");
  return {has("alert") || has("badge") || has("sound"), available != aps.end() && *available == 1};
}

/// apns-push-type against the payload. Apple may also delay or drop such a push without a word; a test is
/// better served by a refusal (our choice).
const char* check_type(const PushType* type, const Effect& effect, std::int64_t priority) {
  const bool background_only = effect.background && !effect.visible;
  if (background_only && priority == 10) return "BadPriority";
  if (!type) return nullptr;
  if (type->name == "background") {
    if (priority != 5) return "BadPriority";
    return background_only ? nullptr : "InvalidPushType";
  }
  return type->name == "alert" && !effect.visible ? "InvalidPushType" : nullptr;
}

std::string text_at(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

void describe(const Json& payload, const Json& aps, Push& push) {
  if (const auto alert = aps.find("alert"); alert != aps.end()) {
    if (alert->is_string()) {
      push.body = alert->get<std::string>();
    } else if (alert->is_object()) {
      push.title = text_at(*alert, "title");
      push.body = text_at(*alert, "body");
    }
  }
  if (const auto wake = payload.find("wake"); wake != payload.end() && wake->is_object()) {
    push.wake_id = text_at(*wake, "id");
  }
}

const char* check_fields(const Fields& fields, std::int64_t& priority, Push& push) {
  if (fields.id && !is_uuid(*fields.id)) return "BadMessageId";
  if (fields.collapse_id && fields.collapse_id->size() > kMaxCollapseId) return "BadCollapseId";
  if (fields.priority) {
    const auto value = whole_number(*fields.priority);
    if (!value || (*value != 10 && *value != 5 && *value != 1)) return "BadPriority";
    priority = *value;
  }
  if (!fields.expiration) return nullptr;
  const auto expiration = whole_number(*fields.expiration);
  if (!expiration) return "BadExpirationDate";
  push.storable = *expiration != 0;
  if (push.storable) push.expires = Time(std::chrono::seconds(*expiration));
  return nullptr;
}

/// Size and shape of the payload; fills the push.
const char* check_payload(const Request& request, const PushType* type, std::int64_t priority, Push& push) {
  if (request.body_bytes == 0) return "PayloadEmpty";
  const bool voip = type && type->name == "voip";
  if (request.body_bytes > (voip ? kMaxVoipPayload : kMaxPayload)) return "PayloadTooLarge";
  const Json payload = Json::parse(request.body, nullptr, false);
  const bool whole = payload.is_object() && payload.contains("aps") && payload["aps"].is_object();
  if (!whole)
    return "PayloadEmpty";  // our choice: Apple has no reason of its own for a payload that is not one
  const Json& aps = payload["aps"];
  const Effect effect = effect_of(aps);
  if (const char* refusal = check_type(type, effect, priority)) return refusal;
  push.silent = !effect.visible;
  describe(payload, aps, push);
  return nullptr;
}

}  // namespace

std::optional<std::string> token_of(std::string_view path) {
  if (!path.starts_with(kDevicePath)) return std::nullopt;
  std::string token(path.substr(kDevicePath.size()));
  for (char& c : token) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return token;
}

const char* check_target(const Request& request) {
  if (request.method != "POST") return "MethodNotAllowed";
  const auto token = token_of(request.path);
  if (!token) return "BadPath";
  if (token->empty()) return "MissingDeviceToken";
  if (token->find('/') != std::string::npos) return "BadPath";
  if (!is_hex(*token) || token->size() % 2 != 0 || token->size() > kMaxToken) return "BadDeviceToken";
  return nullptr;
}

Checked check_message(const Request& request, const std::vector<std::string>& topics, Time now) {
  Checked checked;
  Push& push = checked.push;
  Fields fields;
  const auto refuse = [&](const char* reason) { return checked.refusal = reason, checked; };
  if (!read_headers(request, fields)) return refuse("DuplicateHeaders");
  const PushType* type = nullptr;
  if (fields.push_type) {
    type = std::find_if(kPushTypes.begin(), kPushTypes.end(),
                        [&](auto& t) { return t.name == *fields.push_type; });
    if (type == kPushTypes.end()) return refuse("InvalidPushType");
  }
  if (const char* reason = check_topic(fields, type, topics)) return refuse(reason);
  std::int64_t priority = 10;
  if (const char* reason = check_fields(fields, priority, push)) return refuse(reason);
  if (const char* reason = check_payload(request, type, priority, push)) return refuse(reason);
  push.token = token_of(request.path).value_or("");
  push.app = *fields.topic;
  push.id = fields.id ? std::string(*fields.id) : random_uuid();
  push.screen_key = fields.collapse_id.value_or("");
  if (!push.expires) push.expires = now + std::chrono::days(30);  // Apple's own longest
  return checked;
}

int status_of(std::string_view reason) {
  const auto row =
      std::find_if(kReasons.begin(), kReasons.end(), [&](const auto& r) { return r.reason == reason; });
  return row == kReasons.end() ? 0 : row->status;
}

}  // namespace wake::sim::apns
