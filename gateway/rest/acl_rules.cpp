#include <nlohmann/json.hpp>

#include "broker-core/topic/topic_name.hpp"
#include "db/account_rules.hpp"
#include "gateway/rest/handlers.hpp"
#include "gateway/rest/json_body.hpp"
#include "gateway/rest/page_response.hpp"
#include "gateway/rest/problem.hpp"

namespace wake::gateway::rest {
namespace {

nlohmann::json to_json(const db::AclRule& rule) {
  return {{"id", std::to_string(rule.id)}, {"subject", rule.subject}, {"name", rule.name},
          {"action", rule.action},         {"filter", rule.filter},   {"source", rule.source}};
}

}  // namespace

Response list_rules(const Call& call) {
  return page_response(db::list_rules(call.context.pool, call.numbered_page()),
                       [](const db::AclRule& rule) { return to_json(rule); });
}

/// Nodes hear of it from the database (migrations/0003), this one too.
Response add_rule(const Call& call) {
  JsonBody body(call.request);
  db::AclRule rule;
  rule.subject = body.word("subject", {"user", "device", "service", "all"});
  rule.name = body.maybe_text("name", {0, 200}).value_or("");
  rule.action = body.word("action", {"publish", "subscribe", "all"});
  rule.filter = body.text("filter", {1, 1024});
  body.done();
  const std::size_t max_levels = call.context.options.max_topic_levels;
  if (!broker::is_valid_topic_filter(rule.filter, max_levels) || broker::parse_shared(rule.filter)) {
    throw invalid_field("filter", "an MQTT topic filter of at most " + std::to_string(max_levels) +
                                      " levels, without $share; %u and %c stand for user name and client id");
  }
  const auto answer = [](const db::AclRule& added) { return json_response(201, to_json(added)); };
  return answer(db::add_rule(call.context.pool, rule, keep<db::AclRule>(call.attempt, answer)));
}

Response delete_rule(const Call& call) {
  if (!db::remove_rule(call.context.pool, path_id(call, 0, "rule")))
    throw not_found("rule " + call.parameter(0));
  return no_content();
}

}  // namespace wake::gateway::rest
