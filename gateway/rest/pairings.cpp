#include <algorithm>

#include <nlohmann/json.hpp>

#include "broker-core/topic/topic_name.hpp"
#include "gateway/auth/secret.hpp"
#include "gateway/rest/claim.hpp"
#include "gateway/rest/handlers.hpp"
#include "gateway/rest/json_body.hpp"
#include "gateway/rest/problem.hpp"
#include "gateway/rest/topic_filter.hpp"

namespace wake::gateway::rest {
namespace {

constexpr std::size_t kMaxClaimTopics = 100;
constexpr int kMaxCodeTries = 5;

nlohmann::json to_json(const db::PairingCode& code) {
  nlohmann::json body = {{"code", code.code}, {"expires_at", time_text(code.expires_at)}};
  body["state"] = code.device_id.empty() ? "waiting" : "claimed";
  if (!code.device_id.empty()) body["device_id"] = code.device_id;
  return body;
}

db::ClaimTopic read_claim_topic(JsonBody& body, const std::string& device_id, std::size_t max_levels) {
  db::ClaimTopic topic{body.text("filter", {1, kMaxFilterBytes}),
                       body.maybe_text("title", {0, 200}).value_or("")};
  body.done();
  check_filter(topic.filter, body.name_of("filter"), max_levels);
  if (!has_level(topic.filter, device_id)) {
    throw forbidden(body.name_of("filter") + ": " + topic.filter + " has no level " + device_id + ".",
                    "A device may bring only topics with its own id as a level.");
  }
  return topic;
}

}  // namespace

std::string normal_code(std::string code) {
  std::erase_if(code, [](char c) { return c == ' ' || c == '-'; });
  std::transform(code.begin(), code.end(), code.begin(), [](unsigned char c) { return std::toupper(c); });
  return code;
}

Response start_pairing(const Call& call) {
  JsonBody::expect_none(call.request);
  db::PairingCode code;
  code.expires_at = utc_now() + call.context.options.pairing_ttl;
  for (int tries = 1;; ++tries) {
    code.code = make_pairing_code();
    if (db::add_pairing_code(call.context.pool, call.user(), code)) break;
    if (tries == kMaxCodeTries) throw internal_error();
  }
  return json_response(201, to_json(code));
}

Response get_pairing(const Call& call) {
  const auto code =
      db::find_pairing_code(call.context.pool, call.user(), normal_code(call.parameter(0)), utc_now());
  if (!code) throw not_found("pairing " + call.parameter(0));
  return json_response(200, to_json(*code));
}

Response delete_pairing(const Call& call) {
  if (!db::remove_pairing_code(call.context.pool, call.user(), normal_code(call.parameter(0)))) {
    throw not_found("pairing " + call.parameter(0));
  }
  return no_content();
}

db::Claim read_claim(const Call& call, bool has_code) {
  JsonBody body(call.request);
  db::Claim claim;
  claim.device_id = call.who.principal.id;
  claim.now = utc_now();
  if (has_code) claim.code = normal_code(body.text("code", {1, 64}));
  claim.name = body.maybe_text("name", {0, 200}).value_or("");
  auto topics = body.maybe_objects("topics", kMaxClaimTopics);
  body.done();
  if (!topics) return claim;
  const std::size_t max_levels = call.context.options.max_topic_levels;
  for (JsonBody& topic : *topics)
    claim.topics.push_back(read_claim_topic(topic, claim.device_id, max_levels));
  return claim;
}

Problem unknown_code() {
  Problem unknown = not_found("pairing code");
  unknown.fix = "Start pairing anew in the app: a code works once, for ten minutes.";
  return unknown;
}

db::ClaimResult carry_out(const Call& call, const db::Claim& claim) {
  Context& context = call.context;
  const auto now = std::chrono::steady_clock::now();
  if (context.claims.is_blocked(claim.device_id, now)) {
    throw too_many_requests("This device has tried too many wrong codes.", 600);
  }
  db::ClaimResult result = db::claim_pairing(context.pool, claim);
  if (result.outcome == db::ClaimResult::Outcome::NoSuchCode) {
    context.claims.count_failure(claim.device_id, now);
    throw unknown_code();
  }
  call.refresh(result.user);
  const std::string name = result.name.empty() ? claim.device_id : result.name;
  const nlohmann::json event = {{"type", "paired"}, {"device_id", claim.device_id}, {"name", result.name}};
  context.port.notify_phones(result.user, event.dump(), name, name + " is paired with your account.");
  return result;
}

Response claim_pairing(const Call& call) {
  db::Claim claim = read_claim(call, false);
  claim.code = normal_code(call.parameter(0));
  const db::ClaimResult result = carry_out(call, claim);
  return json_response(200, {{"device_id", claim.device_id}, {"name", result.name}});
}

}  // namespace wake::gateway::rest
