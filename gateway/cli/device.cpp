// device add|rotate|list|remove
#include <memory>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <nlohmann/json.hpp>

#include "db/account_devices.hpp"
#include "gateway/auth/scram.hpp"
#include "gateway/auth/secret.hpp"
#include "gateway/cli/command.hpp"
#include "gateway/cli/commands.hpp"

namespace wake::gateway::cli {
namespace {

struct DeviceArguments {
  std::string id;
  std::string name;
};

nlohmann::json to_json(const db::Device& device) {
  return {{"id", device.id}, {"name", device.name}, {"created_at", time_text(device.created_at)}};
}

CommandFailed no_such_device(const std::string& id) {
  return {kFailed, "there is no device \"" + id + "\": see `wakemq device list`"};
}

int add_device(Invocation& invocation, const DeviceArguments& arguments) {
  if (!db::is_device_id(arguments.id)) {
    throw CommandFailed(kWrongUsage,
                        "expected a device id of 1 to 64 of A-Z a-z 0-9 . _ : -, and not api-key");
  }
  Accounts accounts(invocation);
  const Secret secret = make_device_secret();
  const auto device = db::add_device(accounts.pool(), arguments.id, arguments.name, sha256(secret.reveal()),
                                     new_verifier(secret));
  if (!device)
    throw CommandFailed(kFailed, "the device id \"" + arguments.id + "\" is taken by a device or a user");
  nlohmann::json json = to_json(*device);
  json["secret"] = secret.reveal();
  answer(
      invocation, json,
      "device " + device->id + " added; its MQTT password, shown only now:\n" + std::string(secret.reveal()));
  return kDone;
}

int rotate(Invocation& invocation, const DeviceArguments& arguments) {
  Accounts accounts(invocation);
  const Secret secret = make_device_secret();
  const auto device =
      db::set_device_secret(accounts.pool(), arguments.id, sha256(secret.reveal()), new_verifier(secret));
  if (!device) throw no_such_device(arguments.id);
  nlohmann::json json = to_json(*device);
  json["secret"] = secret.reveal();
  answer(invocation, json,
         "device " + device->id + " has a new MQTT password, shown only now; the old one opens nothing any " +
             "more:\n" + std::string(secret.reveal()));
  return kDone;
}

int list_devices(Invocation& invocation, const DeviceArguments&) {
  Accounts accounts(invocation);
  const auto page = [&](const std::string& after) {
    return db::list_devices(accounts.pool(), {.after = after});
  };
  nlohmann::json items = nlohmann::json::array();
  std::vector<Row> rows;
  for (const db::Device& device : all_items<db::Device>(page)) {
    items.push_back(to_json(device));
    rows.push_back({device.id, time_text(device.created_at), device.name});
  }
  answer_list(invocation, items, {"ID", "CREATED", "NAME"}, rows);
  return kDone;
}

int remove_device(Invocation& invocation, const DeviceArguments& arguments) {
  Accounts accounts(invocation);
  if (!db::remove_device(accounts.pool(), arguments.id).is_removed) throw no_such_device(arguments.id);
  answer(invocation, {{"id", arguments.id}}, "device " + arguments.id + " removed, with its pairings");
  return kDone;
}

}  // namespace

void add_device_commands(CLI::App& app, Invocation& invocation) {
  CLI::App& group = add_group(app, invocation, "device", "cameras, sensors: what publishes");
  auto arguments = std::make_shared<DeviceArguments>();
  const auto command = [&](const char* name, const char* prose, auto work) -> CLI::App& {
    return add_account_command(group, invocation, arguments, name, prose, work);
  };
  CLI::App& adding = command("add", "add a device and print its secret, once", add_device);
  adding.add_option("ID", arguments->id, "1 to 64 of A-Z a-z 0-9 . _ : -; also its MQTT user name")
      ->required();
  adding.add_option("--name", arguments->name, "what people call it");
  command("rotate", "give a device a new secret and print it, once; its clients have to log in again", rotate)
      .add_option("ID", arguments->id, "device id")
      ->required();
  command("list", "list devices", list_devices);
  command("remove", "remove a device and its pairings", remove_device)
      .add_option("ID", arguments->id, "device id")
      ->required();
}

}  // namespace wake::gateway::cli
