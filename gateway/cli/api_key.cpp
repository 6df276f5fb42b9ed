// api-key create|list|revoke
#include <cstdint>
#include <memory>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <nlohmann/json.hpp>

#include "broker-core/topic/topic_name.hpp"
#include "db/account_keys.hpp"
#include "gateway/auth/secret.hpp"
#include "gateway/cli/command.hpp"
#include "gateway/cli/commands.hpp"

namespace wake::gateway::cli {
namespace {

struct KeyArguments {
  db::ApiKey key;
};

nlohmann::json to_json(const db::ApiKey& key) {
  return {{"id", std::to_string(key.id)},
          {"name", key.name},
          {"scopes", key.scopes},
          {"filters", key.filters},
          {"created_at", time_text(key.created_at)}};
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out.append(out.empty() ? "" : ",").append(word);
  return out.empty() ? "-" : out;
}

int create(Invocation& invocation, const KeyArguments& arguments) {
  const std::size_t max_levels = load_config(invocation).limits.max_topic_levels;
  for (const std::string& filter : arguments.key.filters) {
    if (!broker::is_valid_topic_filter(filter, max_levels)) {
      throw CommandFailed(kWrongUsage, "expected an MQTT topic filter, not \"" + filter + "\"");
    }
  }
  Accounts accounts(invocation);
  const Secret secret = make_api_key();
  const db::ApiKey key = db::add_api_key(accounts.pool(), arguments.key, sha256(secret.reveal()));
  nlohmann::json json = to_json(key);
  json["key"] = secret.reveal();
  answer(invocation, json,
         "key " + std::to_string(key.id) + " created, shown only now:\n" + std::string(secret.reveal()));
  return kDone;
}

int list_keys(Invocation& invocation, const KeyArguments&) {
  Accounts accounts(invocation);
  const auto page = [&](const std::string& after) {
    return db::list_api_keys(accounts.pool(), {.after = after});
  };
  nlohmann::json items = nlohmann::json::array();
  std::vector<Row> rows;
  for (const db::ApiKey& key : all_items<db::ApiKey>(page)) {
    items.push_back(to_json(key));
    rows.push_back({std::to_string(key.id), time_text(key.created_at), joined(key.scopes),
                    joined(key.filters), key.name});
  }
  answer_list(invocation, items, {"ID", "CREATED", "SCOPES", "FILTERS", "NAME"}, rows);
  return kDone;
}

int revoke(Invocation& invocation, const KeyArguments& arguments) {
  Accounts accounts(invocation);
  const std::string id = std::to_string(arguments.key.id);
  if (!db::remove_api_key(accounts.pool(), arguments.key.id)) {
    throw CommandFailed(kFailed, "there is no key " + id + ": see `wakemq api-key list`");
  }
  answer(invocation, {{"id", id}}, "key " + id + " revoked");
  return kDone;
}

}  // namespace

void add_api_key_commands(CLI::App& app, Invocation& invocation) {
  CLI::App& group = add_group(app, invocation, "api-key", "keys of services (back ends)");
  auto arguments = std::make_shared<KeyArguments>();
  const auto command = [&](const char* name, const char* prose, auto work) -> CLI::App& {
    return add_account_command(group, invocation, arguments, name, prose, work);
  };
  CLI::App& creating = command("create", "create a key and print it, once", create);
  creating.add_option("--name", arguments->key.name, "what it is for")->required();
  creating.add_option("--scope", arguments->key.scopes, "admin, publish or subscribe; may be repeated")
      ->required()
      ->check(CLI::IsMember({"admin", "publish", "subscribe"}));
  creating.add_option("--filter", arguments->key.filters, "topic filter it may use; may be repeated");
  command("list", "list keys", list_keys);
  command("revoke", "remove a key; its clients are no longer let in", revoke)
      .add_option("ID", arguments->key.id, "as `api-key list` shows it")
      ->required();
}

}  // namespace wake::gateway::cli
