// The table is the API: method, pattern, who may call, handler. A path outside of it is 404, another method
// on a path of it 405, a caller it does not name 401 or 403; only then the handler runs.
#include "gateway/rest/routes.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <variant>

#include "db/storage_away.hpp"
#include "gateway/rest/etag.hpp"
#include "gateway/rest/handlers.hpp"
#include "gateway/rest/problem.hpp"

namespace wake::gateway::rest {
namespace {

enum class Who { Anyone, User, Device, Publisher, Admin };

using LateHandler = void (*)(const Call&, const Respond&);  // answers when somebody else has the answer

struct Route {
  std::string_view method;
  std::string_view pattern;  // {} stands for one segment that is not empty
  Who who;
  std::variant<Handler, LateHandler> handler;
};

/// Anyone may call it, and whoever says who they are is heard.
constexpr std::variant<Handler, LateHandler> kMayBeAnonymous = add_user;

constexpr auto kRoutes = std::to_array<Route>({
    {"POST", "/v1/users", Who::Anyone, add_user},
    {"GET", "/v1/users", Who::Admin, list_users},
    {"DELETE", "/v1/users/{}", Who::Admin, delete_user},
    {"POST", "/v1/auth/token", Who::Anyone, make_token},
    {"POST", "/v1/auth/refresh", Who::Anyone, refresh_token},
    {"POST", "/v1/auth/revoke", Who::Anyone, revoke_token},
    {"PUT", "/v1/me/password", Who::User, put_password},
    {"GET", "/v1/me/phones", Who::User, list_phones},
    {"PUT", "/v1/me/phones/{}", Who::User, put_phone},
    {"GET", "/v1/me/phones/{}", Who::User, get_phone},
    {"DELETE", "/v1/me/phones/{}", Who::User, delete_phone},
    {"PUT", "/v1/me/phones/{}/presence", Who::User, put_presence},
    {"POST", "/v1/me/phones/{}/test", Who::User, test_phone},
    {"POST", "/v1/me/pairings", Who::User, start_pairing},
    {"GET", "/v1/me/pairings/{}", Who::User, get_pairing},
    {"DELETE", "/v1/me/pairings/{}", Who::User, delete_pairing},
    {"POST", "/v1/pairings/{}/claim", Who::Device, claim_pairing},
    {"DELETE", "/v1/pairings", Who::Device, reset_pairings},
    {"GET", "/v1/me/devices", Who::User, list_paired_devices},
    {"GET", "/v1/me/devices/{}", Who::User, get_paired_device},
    {"PATCH", "/v1/me/devices/{}", Who::User, patch_paired_device},
    {"DELETE", "/v1/me/devices/{}", Who::User, delete_paired_device},
    {"POST", "/v1/me/devices/{}/invitations", Who::User, invite},
    {"GET", "/v1/me/devices/{}/invitations", Who::User, list_invitations},
    {"DELETE", "/v1/me/devices/{}/invitations/{}", Who::User, delete_invitation},
    {"POST", "/v1/invitations/{}/accept", Who::User, accept_invitation},
    {"GET", "/v1/me/devices/{}/members", Who::User, list_members},
    {"PATCH", "/v1/me/devices/{}/members/{}", Who::User, patch_member},
    {"DELETE", "/v1/me/devices/{}/members/{}", Who::User, delete_member},
    {"GET", "/v1/me/topics", Who::User, list_topics},
    {"POST", "/v1/me/topics", Who::User, add_topic},
    {"GET", "/v1/me/topics/{}", Who::User, get_topic},
    {"PATCH", "/v1/me/topics/{}", Who::User, patch_topic},
    {"DELETE", "/v1/me/topics/{}", Who::User, delete_topic},
    {"GET", "/v1/users/{}/topics", Who::Admin, list_topics_of_user},
    {"POST", "/v1/users/{}/topics", Who::Admin, add_topic_of_user},
    {"PATCH", "/v1/users/{}/topics/{}", Who::Admin, patch_topic_of_user},
    {"DELETE", "/v1/users/{}/topics/{}", Who::Admin, delete_topic_of_user},
    {"GET", "/v1/me/messages", Who::User, list_messages},
    {"POST", "/v1/me/messages/ack", Who::User, ack_messages},
    {"GET", "/v1/me/messages/{}", Who::User, get_message},
    {"POST", "/v1/publish", Who::Publisher, publish},
    {"GET", "/v1/devices", Who::Admin, list_devices},
    {"POST", "/v1/devices", Who::Admin, add_device},
    {"DELETE", "/v1/devices/{}", Who::Admin, delete_device},
    {"POST", "/v1/devices/{}/secret", Who::Admin, rotate_device_secret},
    {"GET", "/v1/api-keys", Who::Admin, list_api_keys},
    {"POST", "/v1/api-keys", Who::Admin, add_api_key},
    {"DELETE", "/v1/api-keys/{}", Who::Admin, delete_api_key},
    {"GET", "/v1/acl-rules", Who::Admin, list_rules},
    {"POST", "/v1/acl-rules", Who::Admin, add_rule},
    {"DELETE", "/v1/acl-rules/{}", Who::Admin, delete_rule},
    {"GET", "/v1/clients", Who::Admin, list_clients},
    {"DELETE", "/v1/clients/{}", Who::Admin, kick_client},
    {"GET", "/v1/messages/{}/trace", Who::Admin, trace_message},
    {"GET", "/healthz", Who::Anyone, get_health},
    {"GET", "/readyz", Who::Anyone, get_readiness},
    {"GET", "/metrics", Who::Anyone, get_metrics},
    {"GET", "/openapi.json", Who::Anyone, get_openapi},
    {"GET", "/docs", Who::Anyone, get_docs},
    {"GET", "/docs.css", Who::Anyone, get_docs_style},
});

/// The segments that stand for {}; nullopt: the pattern does not match.
std::optional<std::vector<std::string>> match(std::string_view pattern,
                                              const std::vector<std::string>& segments) {
  std::vector<std::string> parameters;
  pattern.remove_prefix(1);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::size_t end = pattern.find('/');
    const std::string_view level = pattern.substr(0, end);
    const bool is_last = end == std::string_view::npos;
    if (is_last != (i + 1 == segments.size())) return std::nullopt;
    if (level != "{}" && level != segments[i]) return std::nullopt;
    if (level == "{}" && segments[i].empty()) return std::nullopt;
    if (level == "{}") parameters.push_back(segments[i]);
    if (!is_last) pattern.remove_prefix(end + 1);
  }
  return parameters;
}

struct Match {
  const Route* route;
  std::vector<std::string> parameters;
};

/// What the path has, as Allow tells it: "GET, HEAD, POST, OPTIONS". Throws Problem 404.
std::string methods_of(const Request& request, const Target& target) {
  std::string methods;
  for (const Route& route : kRoutes) {
    if (!match(route.pattern, target.segments)) continue;
    methods += std::string(route.method) + (route.method == "GET" ? ", HEAD, " : ", ");
  }
  if (methods.empty()) throw not_found(request.target.substr(0, request.target.find('?')).substr(0, 200));
  return methods + "OPTIONS";
}

Match find_route(const Request& request, const Target& target) {
  for (const Route& route : kRoutes) {
    if (route.method != request.method) continue;
    if (auto parameters = match(route.pattern, target.segments)) return {&route, std::move(*parameters)};
  }
  throw method_not_allowed(methods_of(request, target));
}

/// RFC 9110 section 9.3.7, of a path or of the server as a whole. Asked without credentials, because browsers
/// send none in a preflight (cors.hpp).
Response options_of(std::string methods) {
  return {.status = 204, .content_type = "", .body = "", .headers = {{"Allow", std::move(methods)}}};
}

void spend(RequestBudget& budget, const std::string& caller, const std::string& limit) {
  if (budget.spend(caller, std::chrono::steady_clock::now())) return;
  throw too_many_requests("More requests than [limits] " + limit + " of this gateway.",
                          RequestBudget::kRetryAfterS);
}

/// RFC 7617 and RFC 6750; nullopt: no credentials at all.
std::optional<Credentials> read_credentials(const Request& request) {
  Credentials credentials;
  credentials.address = request.address;
  if (!request.certificate_cn.empty()) credentials.certificate_cn = request.certificate_cn;
  const std::string& header = request.authorization;
  if (header.empty()) return credentials.certificate_cn ? std::optional(credentials) : std::nullopt;
  const std::size_t space = std::min(header.find(' '), header.size());
  std::string scheme = header.substr(0, space);
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  const std::string value = header.substr(std::min(header.find_first_not_of(' ', space), header.size()));
  if (scheme == "bearer") {
    if (value.starts_with("wk_")) credentials.username = "api-key";
    credentials.password = Secret(value);
    return credentials;
  }
  const auto pair = scheme == "basic" ? decode_base64(value) : std::nullopt;
  const std::size_t colon = pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos)
    throw unauthenticated("The Authorization header is neither Bearer nor well-formed Basic.");
  credentials.username = pair->substr(0, colon);
  credentials.password = Secret(pair->substr(colon + 1));
  return credentials;
}

AuthResult authenticate(const Context& context, const Request& request, bool may_wait_for_webhook) {
  auto credentials = read_credentials(request);
  if (!credentials) throw unauthenticated("The request has no Authorization header.");
  credentials->may_wait_for_webhook = may_wait_for_webhook;
  AuthResult who = context.authenticator.authenticate(*credentials);
  need_judged(who);
  if (who.outcome == AuthResult::Outcome::Ok) return who;
  throw unauthenticated("The credentials are wrong, unknown or expired.");
}

bool is_permitted(Who who, const AuthResult& caller) {
  switch (who) {
    case Who::Anyone:
      return true;
    case Who::User:
      return caller.principal.kind == broker::Principal::Kind::User;
    case Who::Device:
      return caller.principal.kind == broker::Principal::Kind::Device;
    case Who::Publisher:
      return caller.has_publish_scope;
    case Who::Admin:
      return caller.is_admin;
  }
  return false;
}

const char* description(Who who) {
  switch (who) {
    case Who::Anyone:
      break;
    case Who::User:
      return "a user's access token";
    case Who::Device:
      return "a device's id and secret (HTTP Basic)";
    case Who::Publisher:
      return "an API key with the scope publish";
    case Who::Admin:
      return "an API key with the scope admin";
  }
  return "nothing";
}

void answer_or_throw(Context& context, const Request& request, const Respond& respond,
                     bool may_wait_for_webhook) {
  if (request.method == "OPTIONS" && request.target == "*")
    return respond(options_of("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
  const auto target = parse_target(request.target);
  if (!target) throw malformed_target();
  if (!is_observation(request) && !may_wait_for_webhook)  // else it was counted before it went there
    spend(context.of_addresses, request.address, "requests_per_second_per_address");
  if (request.method == "OPTIONS") return respond(options_of(methods_of(request, *target)));
  auto [route, parameters] = find_route(request, *target);
  Call call{context, request, *target, {}, std::move(parameters), may_wait_for_webhook};
  const bool has_credentials = !request.authorization.empty() || !request.certificate_cn.empty();
  if (route->who != Who::Anyone || (has_credentials && route->handler == kMayBeAnonymous)) {
    call.who = authenticate(context, request, may_wait_for_webhook);
    spend(context.of_principals, caller_name(call.who.principal), "requests_per_second");
  }
  if (!is_permitted(route->who, call.who)) {
    const std::string needed = description(route->who);
    throw forbidden("This call is not for these credentials.", "Use " + needed + ".");
  }
  if (const auto* late = std::get_if<LateHandler>(&route->handler)) return (*late)(call, respond);
  const Handler handler = std::get<Handler>(route->handler);
  const bool may_be_repeated = request.method == "POST" && route->who != Who::Anyone;
  respond(may_be_repeated ? answer_once(call, handler) : with_etag(request, handler(call)));
}

void answer_by(Context& context, const Request& request, const std::string& request_id,
               const Respond& respond, bool may_wait_for_webhook) {
  try {
    answer_or_throw(context, request, respond, may_wait_for_webhook);
  } catch (const Problem& problem) {
    respond(to_response(problem, request_id));
  } catch (const NeedsWebhook&) {
    const auto later = [&context, request, request_id, respond] {
      answer_by(context, request, request_id, respond, true);
    };
    if (!context.authenticator.continue_with_webhook(later)) respond(to_response(webhook_away(), request_id));
  } catch (const db::StorageAway& error) {
    context.log(push::LogLevel::Warn, "rest.storage_away", request_id + ": " + error.what());
    respond(to_response(storage_away(), request_id));
  } catch (const std::exception& error) {
    context.log(push::LogLevel::Error, "rest.failed",
                request_id + " " + request.method + ": " + error.what());
    respond(to_response(internal_error(), request_id));
  }
}

}  // namespace

void answer(Context& context, const Request& request, const std::string& request_id, const Respond& respond) {
  answer_by(context, request, request_id, respond, false);
}

bool is_observation(const Request& request) { return !request.target.starts_with("/v1/"); }

}  // namespace wake::gateway::rest
