#include <algorithm>

#include <nlohmann/json.hpp>

#include "broker-core/topic/topic_name.hpp"
#include "db/account_phones.hpp"
#include "gateway/port_readiness.hpp"
#include "gateway/rest/etag.hpp"
#include "gateway/rest/handlers.hpp"
#include "gateway/rest/json_body.hpp"
#include "gateway/rest/page_response.hpp"
#include "gateway/rest/problem.hpp"

namespace wake::gateway::rest {
namespace {

constexpr std::size_t kMaxTokenBytes = 4096;
constexpr const char* kIdRule = "1 to 128 bytes without + # / and control characters";

/// The token itself is never shown: an address for pushes is for the provider only.
nlohmann::json to_json(const db::Phone& phone) {
  const broker::DeviceToken& token = phone.record.token;
  return {{"id", phone.record.phone_id},
          {"platform", token.platform == broker::Platform::Apns ? "apns" : "fcm"},
          {"app_id", token.app_id},
          {"has_token", !token.token.empty()},
          {"token_kind", token.kind == broker::TokenKind::Token ? "token" : "fid"},
          {"environment", token.environment == broker::Environment::Production ? "production" : "sandbox"},
          {"client_id", phone.record.client_id.value},
          {"locale", phone.record.locale},
          {"registered_at", time_text(token.registered_at)},
          {"created_at", time_text(phone.created_at)}};
}

/// Whether a push could leave for the phone now. A phone of an app that is not configured is registered all
/// the same: MQTT and the inbox serve it, and the operator may add the app later (SIGHUP).
nlohmann::json push_state(const Readiness& readiness, const broker::DeviceToken& token) {
  const std::string name =
      part_name({.app_id = token.app_id, .platform = token.platform, .environment = token.environment});
  const auto part = std::ranges::find(readiness.parts, name, &Readiness::Part::name);
  if (part == readiness.parts.end()) {
    return {{"ready", false}, {"detail", "no [[push.app]] is configured for " + name.substr(5)}};
  }
  if (part->is_ready) return {{"ready", true}};
  return {{"ready", false}, {"detail", "the provider does not take pushes now; they wait"}};
}

/// APNs: hexadecimal of unspecified length, kept in lower case (Apple, Registering your app with APNs). FCM:
/// opaque.
std::string check_token(broker::Platform platform, std::string token) {
  if (platform == broker::Platform::Apns) {
    const bool is_hex =
        std::all_of(token.begin(), token.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
    if (!is_hex)
      throw invalid_field("token", "hexadecimal digits, as didRegisterForRemoteNotifications gave the bytes");
    std::transform(token.begin(), token.end(), token.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    return token;
  }
  const bool is_printable =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7F; });
  if (!is_printable) throw invalid_field("token", "printable ASCII without spaces");
  return token;
}

struct PhoneBody {
  broker::PhoneRecord phone;
  bool has_environment = false;
};

PhoneBody read_phone(const Call& call) {
  JsonBody body(call.request);
  PhoneBody read;
  broker::DeviceToken& token = read.phone.token;
  token.platform =
      body.word("platform", {"apns", "fcm"}) == "apns" ? broker::Platform::Apns : broker::Platform::Fcm;
  token.app_id = body.text("app_id", {1, 255});
  token.token = check_token(token.platform, body.text("token", {1, kMaxTokenBytes}));
  if (body.maybe_word("token_kind", {"token", "fid"}) == "fid") token.kind = broker::TokenKind::Fid;
  const auto environment = body.maybe_word("environment", {"production", "sandbox"});
  read.has_environment = environment.has_value();
  if (environment == "sandbox") token.environment = broker::Environment::Sandbox;
  read.phone.phone_id = call.parameter(0);
  read.phone.client_id.value =
      body.maybe_text("client_id", {1, broker::kMaxIdBytes}).value_or(call.parameter(0));
  read.phone.locale = body.maybe_text("locale", {0, 35}).value_or("");
  body.done();
  if (!broker::is_id_allowed(read.phone.phone_id)) throw invalid_field("phone_id", kIdRule);
  if (!broker::is_id_allowed(read.phone.client_id.value)) throw invalid_field("client_id", kIdRule);
  return read;
}

db::Phone find_own_phone(const Call& call) {
  auto phone = db::find_phone(call.context.pool, call.user(), call.parameter(0));
  if (!phone) throw not_found("phone " + call.parameter(0));
  return std::move(*phone);
}

}  // namespace

Response put_phone(const Call& call) {
  const PhoneBody body = read_phone(call);
  const std::uint32_t most = call.context.options.max_phones_per_user;
  const auto check = [&](const db::Phone* former) {
    former ? require_match(call.request, to_json(*former)) : require_match_of_nothing(call.request);
  };
  const db::PhoneRegistration done =
      db::register_phone(call.context.pool, call.user(), body.phone, body.has_environment, most, check);
  if (done.outcome == db::PhoneRegistration::Outcome::ClientIdOfOwnPhone) {
    throw conflict("Another of your phones has the client id " + body.phone.client_id.value + ".",
                   "Choose another client_id, or remove that phone (GET /v1/me/phones) if it is the same "
                   "installation.",
                   "client_id");
  }
  if (done.outcome == db::PhoneRegistration::Outcome::TooMany) {
    throw conflict("You have " + std::to_string(most) + " phones already, which is the most.",
                   "Remove one that is no longer used (GET and DELETE /v1/me/phones).", "phone_id");
  }
  if (done.outcome == db::PhoneRegistration::Outcome::ClientIdTaken) {
    throw conflict("The client id " + body.phone.client_id.value + " belongs to someone else.",
                   "Choose a client_id that only this installation uses, for instance a UUID.", "client_id");
  }
  call.refresh(call.user());
  for (const broker::UserId other : done.other_users) call.refresh(other);
  if (done.former_client_id) call.context.port.kick(*done.former_client_id);
  nlohmann::json answer = to_json(done.phone);
  answer["push"] = push_state(call.context.port.readiness(), done.phone.record.token);
  return json_response(done.outcome == db::PhoneRegistration::Outcome::Created ? 201 : 200, answer);
}

Response list_phones(const Call& call) {
  return page_response(db::list_phones(call.context.pool, call.user(), call.page()),
                       [](const db::Phone& phone) { return to_json(phone); });
}

Response get_phone(const Call& call) { return json_response(200, to_json(find_own_phone(call))); }

Response delete_phone(const Call& call) {
  const auto client_id = db::remove_phone(call.context.pool, call.user(), call.parameter(0));
  if (!client_id) throw not_found("phone " + call.parameter(0));
  call.refresh(call.user());
  call.context.port.kick(*client_id);
  return no_content();
}

Response put_presence(const Call& call) {
  JsonBody body(call.request);
  const std::string state = body.word("state", {"foreground", "background"});
  body.done();
  const db::Phone phone = find_own_phone(call);
  call.context.port.set_presence(phone.record.client_id,
                                 state == "background" ? Presence::Background : Presence::Foreground);
  return json_response(200, {{"state", state}});
}

void test_phone(const Call& call, const Respond& respond) {
  JsonBody::expect_none(call.request);
  const db::Phone phone = find_own_phone(call);
  if (phone.record.token.token.empty()) {
    throw conflict(
        "The phone has no token: its provider called the last one dead, or another phone registered it "
        "since.",
        "Let the app fetch its token and register the phone again.");
  }
  call.context.port.test_push(call.user(), phone.record.id, [respond](const TestVerdict& verdict) {
    respond(json_response(200, {{"verdict", verdict.verdict},
                                {"status", verdict.status},
                                {"reason", verdict.reason},
                                {"advice", verdict.advice}}));
  });
}

}  // namespace wake::gateway::rest
