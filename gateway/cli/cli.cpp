#include "gateway/cli/cli.hpp"

#include <exception>
#include <ostream>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "db/storage_away.hpp"
#include "gateway/cli/command.hpp"
#include "gateway/cli/commands.hpp"

namespace wake::gateway::cli {
namespace {

constexpr const char* kProse =
    "WakeMQ: an MQTT broker that wakes sleeping phones through APNs and FCM.\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage or configuration.";

/// Empty: parsed, do the action. Else the exit status.
std::optional<int> parse(CLI::App& app, const std::vector<std::string>& arguments, World& world) {
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants it
    app.parse(reversed);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    // CLI11 prints help to the first stream, errors with a hint at --help to the second.
    return app.exit(error, world.out, world.err) == 0 ? kDone : kWrongUsage;
  }
}

int carry_out(const Invocation& invocation) {
  std::ostream& err = invocation.world.err;
  try {
    return invocation.action();
  } catch (const CommandFailed& failure) {
    err << "wakemq: " << failure.what() << '\n';
    return failure.status;
  } catch (const db::StorageAway& away) {
    err << "wakemq: PostgreSQL cannot be asked: " << away.what()
        << "\nwakemq: is it running, and is [database] url (WAKEMQ_DATABASE_URL) right?\n";
    return kFailed;
  } catch (const std::exception& error) {
    err << "wakemq: " << error.what() << '\n';
    return kFailed;
  }
}

}  // namespace

int run(const std::vector<std::string>& arguments, World& world) {
  Invocation invocation{.world = world, .config_file = {}, .is_json = false, .action = {}};
  CLI::App app(kProse, "wakemq");
  app.require_subcommand(1);
  add_config_option(app, invocation);
  add_serve(app, invocation);
  add_migrate(app, invocation);
  add_check_config(app, invocation);
  add_user_commands(app, invocation);
  add_device_commands(app, invocation);
  add_api_key_commands(app, invocation);
  add_acl_commands(app, invocation);
  add_version(app, invocation);
  if (const auto status = parse(app, arguments, world)) return *status;
  return carry_out(invocation);
}

}  // namespace wake::gateway::cli
