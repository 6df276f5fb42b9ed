// user add|passwd|list|remove
#include <istream>
#include <memory>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <nlohmann/json.hpp>

#include "broker-core/topic/topic_name.hpp"
#include "db/account_users.hpp"
#include "gateway/auth/password.hpp"
#include "gateway/auth/scram.hpp"
#include "gateway/cli/command.hpp"
#include "gateway/cli/commands.hpp"
#include "push/text.hpp"

namespace wake::gateway::cli {
namespace {

struct UserArguments {
  std::string name;
  bool is_password_on_stdin = false;
};

nlohmann::json to_json(const db::User& user) {
  return {{"id", std::to_string(user.id.value)},
          {"username", user.username},
          {"has_password", !user.password_hash.empty()},
          {"created_at", time_text(user.created_at)}};
}

/// The first line of standard input: never from an argument, which every process of the machine can read.
Secret read_password(Invocation& invocation, const UserArguments& arguments) {
  if (!arguments.is_password_on_stdin) {
    throw CommandFailed(kWrongUsage, "give the password on standard input and say --password-stdin");
  }
  std::string line;
  for (char c = 0; line.size() <= kMaxPasswordBytes && invocation.world.in.get(c) && c != '\n';) line += c;
  if (line.ends_with('\r')) line.pop_back();
  if (line.size() < kMinPasswordBytes || line.size() > kMaxPasswordBytes) {
    throw CommandFailed(kFailed, "expected a password of " + std::to_string(kMinPasswordBytes) + " to " +
                                     std::to_string(kMaxPasswordBytes) + " bytes on standard input");
  }
  if (!push::is_valid_utf8(line) ||
      line.find('\0') != std::string::npos) {  // REST could never say it: it is JSON
    throw CommandFailed(kFailed, "expected a password in UTF-8 without U+0000 on standard input");
  }
  return Secret(std::move(line));
}

CommandFailed no_such_user(const std::string& name) {
  return {kFailed, "there is no user \"" + name + "\": see `wakemq user list`"};
}

int add_user(Invocation& invocation, const UserArguments& arguments) {
  if (arguments.name == "api-key") {  // what a service says as its MQTT user name, contract §10
    throw CommandFailed(kWrongUsage, "the name \"api-key\" is taken by the services");
  }
  if (!broker::is_id_allowed(arguments.name)) {
    throw CommandFailed(
        kWrongUsage, "expected a user name of 1 to 128 bytes of UTF-8 without + # / and control characters");
  }
  const Secret password = read_password(invocation, arguments);
  Accounts accounts(invocation);
  const auto user =
      db::add_user(accounts.pool(), arguments.name, hash_password(password), new_verifier(password));
  if (!user) throw CommandFailed(kFailed, "the name \"" + arguments.name + "\" is taken");
  answer(invocation, to_json(*user), "user " + user->username + " added");
  return kDone;
}

int change_password(Invocation& invocation, const UserArguments& arguments) {
  const Secret password = read_password(invocation, arguments);
  Accounts accounts(invocation);
  if (!db::set_password(accounts.pool(), arguments.name, hash_password(password), new_verifier(password)))
    throw no_such_user(arguments.name);
  answer(invocation, {{"username", arguments.name}},
         "password of " + arguments.name + " changed; the account's log-ins have ended");
  return kDone;
}

int list_users(Invocation& invocation, const UserArguments&) {
  Accounts accounts(invocation);
  const auto page = [&](const std::string& after) {
    return db::list_users(accounts.pool(), {.after = after});
  };
  nlohmann::json items = nlohmann::json::array();
  std::vector<Row> rows;
  for (const db::User& user : all_items<db::User>(page)) {
    items.push_back(to_json(user));
    rows.push_back({std::to_string(user.id.value), user.username, time_text(user.created_at)});
  }
  answer_list(invocation, items, {"ID", "USERNAME", "CREATED"}, rows);
  return kDone;
}

int remove_user(Invocation& invocation, const UserArguments& arguments) {
  Accounts accounts(invocation);
  const auto id = db::remove_user(accounts.pool(), arguments.name);
  if (!id) throw no_such_user(arguments.name);
  answer(invocation, {{"id", std::to_string(id->value)}, {"username", arguments.name}},
         "user " + arguments.name + " removed, with phones, pairings and inbox");
  return kDone;
}

}  // namespace

void add_user_commands(CLI::App& app, Invocation& invocation) {
  CLI::App& group = add_group(app, invocation, "user", "accounts of people");
  auto arguments = std::make_shared<UserArguments>();
  const auto command = [&](const char* name, const char* prose, auto work) -> CLI::App& {
    return add_account_command(group, invocation, arguments, name, prose, work);
  };
  const auto named = [&](CLI::App& added) -> CLI::App& {
    added.add_option("NAME", arguments->name, "user name")->required();
    return added;
  };
  const std::string stdin_prose = "read the password from standard input (its first line)";
  named(command("add", "add an account", add_user))
      .add_flag("--password-stdin", arguments->is_password_on_stdin, stdin_prose);
  named(command("passwd", "change the password; ends the account's log-ins", change_password))
      .add_flag("--password-stdin", arguments->is_password_on_stdin, stdin_prose);
  command("list", "list accounts", list_users);
  named(command("remove", "remove an account and all that is its own", remove_user));
}

}  // namespace wake::gateway::cli
