// acl add|list|remove
#include <cstdint>
#include <memory>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <nlohmann/json.hpp>

#include "broker-core/topic/topic_name.hpp"
#include "db/account_rules.hpp"
#include "gateway/cli/command.hpp"
#include "gateway/cli/commands.hpp"

namespace wake::gateway::cli {
namespace {

struct RuleArguments {
  db::AclRule rule;
};

nlohmann::json to_json(const db::AclRule& rule) {
  return {{"id", std::to_string(rule.id)}, {"subject", rule.subject}, {"name", rule.name},
          {"action", rule.action},         {"filter", rule.filter},   {"source", rule.source}};
}

int add_rule(Invocation& invocation, const RuleArguments& arguments) {
  const db::AclRule& wanted = arguments.rule;
  const std::size_t max_levels = load_config(invocation).limits.max_topic_levels;
  if (!broker::is_valid_topic_filter(wanted.filter, max_levels) || broker::parse_shared(wanted.filter)) {
    throw CommandFailed(kWrongUsage,
                        "expected an MQTT topic filter without $share, not \"" + wanted.filter + "\"");
  }
  Accounts accounts(invocation);
  const db::AclRule rule = db::add_rule(accounts.pool(), wanted);
  answer(invocation, to_json(rule), "rule " + std::to_string(rule.id) + " added");
  return kDone;
}

int list_rules(Invocation& invocation, const RuleArguments&) {
  Accounts accounts(invocation);
  const auto page = [&](const std::string& after) {
    return db::list_rules(accounts.pool(), {.after = after});
  };
  nlohmann::json items = nlohmann::json::array();
  std::vector<Row> rows;
  for (const db::AclRule& rule : all_items<db::AclRule>(page)) {
    items.push_back(to_json(rule));
    rows.push_back({std::to_string(rule.id), rule.source, rule.subject, rule.name.empty() ? "-" : rule.name,
                    rule.action, rule.filter});
  }
  answer_list(invocation, items, {"ID", "SOURCE", "SUBJECT", "NAME", "ACTION", "FILTER"}, rows);
  return kDone;
}

int remove_rule(Invocation& invocation, const RuleArguments& arguments) {
  Accounts accounts(invocation);
  const std::string id = std::to_string(arguments.rule.id);
  if (!db::remove_rule(accounts.pool(), arguments.rule.id))
    throw CommandFailed(kFailed, "there is no rule " + id + ": see `wakemq acl list`");
  answer(invocation, {{"id", id}}, "rule " + id + " removed");
  return kDone;
}

}  // namespace

void add_acl_commands(CLI::App& app, Invocation& invocation) {
  CLI::App& group = add_group(app, invocation, "acl", "rules that permit topics beyond pairings and keys");
  auto arguments = std::make_shared<RuleArguments>();
  const auto command = [&](const char* name, const char* prose, auto work) -> CLI::App& {
    return add_account_command(group, invocation, arguments, name, prose, work);
  };
  CLI::App& adding = command("add", "add a rule; it takes effect at once", add_rule);
  adding.add_option("--subject", arguments->rule.subject, "whom it is for: user, device, service or all")
      ->required()
      ->check(CLI::IsMember({"user", "device", "service", "all"}));
  adding.add_option("--name", arguments->rule.name,
                    "user name, device id or name of the key; without it every one of the subject");
  adding.add_option("--action", arguments->rule.action, "publish, subscribe or all")
      ->required()
      ->check(CLI::IsMember({"publish", "subscribe", "all"}));
  adding
      .add_option("--filter", arguments->rule.filter,
                  "topic filter; %u stands for the user name, %c for the client id")
      ->required();
  command("list", "list rules", list_rules);
  command("remove", "remove a rule; what it alone permitted ends at once", remove_rule)
      .add_option("ID", arguments->rule.id, "as `acl list` shows it")
      ->required();
}

}  // namespace wake::gateway::cli
