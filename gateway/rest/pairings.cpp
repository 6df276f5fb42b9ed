#include <algorithm>

#include <nlohmann/json.hpp>

#include "broker-core/topic/topic_name.hpp"
#include "gateway/rest/claim.hpp"
#include "gateway/rest/codes.hpp"
#include "gateway/rest/handlers.hpp"
#include "gateway/rest/json_body.hpp"
#include "gateway/rest/problem.hpp"
#include "gateway/rest/topic_filter.hpp"

namespace wake::gateway::rest {
namespace {

constexpr std::size_t kMaxClaimTopics = 100;

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

Response start_pairing(const Call& call) {
  JsonBody::expect_none(call.request);
  db::PairingCode code;
  code.expires_at = utc_now() + call.context.options.pairing_ttl;
  code.code = new_code([&](const std::string& made) {
    code.code = made;
    return db::add_pairing_code(call.context.pool, call.user(), code);
  });
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
  claim.is_reset = body.maybe_flag("reset").value_or(false);
  auto topics = body.maybe_objects("topics", kMaxClaimTopics);
  body.done();
  if (!topics) return claim;
  const std::size_t max_levels = call.context.options.max_topic_levels;
  for (JsonBody& topic : *topics)
    claim.topics.push_back(read_claim_topic(topic, claim.device_id, max_levels));
  return claim;
}

namespace {

Problem owned_by_another() {
  return conflict(
      "This device belongs to somebody else.",
      "Reset it to factory settings (it claims with \"reset\": true), or have its owner invite you.");
}

nlohmann::json to_json(const db::Claim& claim, const db::ClaimResult& result) {
  return {{"device_id", claim.device_id}, {"name", result.name}};
}

}  // namespace

nlohmann::json carry_out(const Call& call, const db::Claim& claim) {
  const CodeGuess guess(call, "device " + claim.device_id);
  const db::ClaimResult result = db::claim_pairing(call.context.pool, claim);
  switch (result.outcome) {
    case db::ClaimResult::Outcome::NoSuchCode:
      throw guess.missed("pairing code",
                         "Start pairing anew in the app: a code works once, for ten minutes.");
    case db::ClaimResult::Outcome::Owned:
      throw owned_by_another();
    case db::ClaimResult::Outcome::Repeated:
    case db::ClaimResult::Outcome::Paired:
      break;
  }
  // Of a repetition too: whoever carried it out first may have died before.
  std::vector<broker::UserId> users = result.unpaired;
  users.push_back(result.user);
  call.refresh(users);
  return to_json(claim, result);
}

Response claim_pairing(const Call& call) {
  db::Claim claim = read_claim(call, false);
  claim.code = normal_code(call.parameter(0));
  return json_response(200, carry_out(call, claim));
}

void reset_device(const Call& call) {
  call.refresh(db::reset_pairings(call.context.pool, call.who.principal.id));
}

Response reset_pairings(const Call& call) {
  JsonBody::expect_none(call.request);
  reset_device(call);
  return no_content();
}

}  // namespace wake::gateway::rest
