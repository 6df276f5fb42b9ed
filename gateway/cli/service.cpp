// serve, migrate, check-config, version.
#include <memory>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "config/example.hpp"
#include "db/migrate.hpp"
#include "gateway/cli/command.hpp"
#include "gateway/cli/commands.hpp"

namespace wake::gateway::cli {
namespace {

int migrate(Invocation& invocation) {
  const std::string url = load_config(invocation).database.url;
  std::ostream& out = invocation.world.out;
  const auto report = [&out](const std::string& name) { out << "applied " << name << std::endl; };
  const db::MigrationStatus status = db::migrate(url, report);
  out << "the database is at version " << status.applied << '\n';
  return kDone;
}

int check_migrations(Invocation& invocation) {
  const db::MigrationStatus status = db::check_migrations(load_config(invocation).database.url);
  std::ostream& out = invocation.world.out;
  out << "the database is at version " << status.applied << '\n';
  for (const std::string& name : status.pending) out << "to be applied: " << name << '\n';
  return status.pending.empty() ? kDone : kFailed;
}

int check_config(Invocation& invocation) {
  const config::Config config = load_config(invocation);
  const std::string source =
      config.file.empty() ? "defaults and environment (there is no file)" : config.file;
  invocation.world.out << source << ": good\n";
  return kDone;
}

int print_example(Invocation& invocation) {
  invocation.world.out << config::example_file();
  return kDone;
}

int print_version(Invocation& invocation) {
  invocation.world.out << "wakemq " WAKE_VERSION "\n";
  return kDone;
}

}  // namespace

void add_serve(CLI::App& app, Invocation& invocation) {
  add_command(app, invocation, "serve", "run the gateway until SIGTERM or SIGINT; SIGHUP reloads credentials",
              [&invocation] { return invocation.world.serve(load_config(invocation)); })
      .footer([] { return "\n" + config::help_text(); });
}

void add_migrate(CLI::App& app, Invocation& invocation) {
  auto is_check = std::make_shared<bool>(false);
  add_command(
      app, invocation, "migrate", "bring the database to this version's schema",
      [&invocation, is_check] { return *is_check ? check_migrations(invocation) : migrate(invocation); })
      .add_flag("--check", *is_check, "only tell what would be applied; exit status 1 when something would");
}

void add_check_config(CLI::App& app, Invocation& invocation) {
  auto is_example = std::make_shared<bool>(false);
  CLI::App& command =
      add_command(app, invocation, "check-config",
                  "tell every problem of the configuration, with file and line", [&invocation, is_example] {
                    return *is_example ? print_example(invocation) : check_config(invocation);
                  });
  command.add_flag("--example", *is_example, "print an example file with every key instead");
  command.footer([] { return "\n" + config::help_text(); });
}

void add_version(CLI::App& app, Invocation& invocation) {
  add_command(app, invocation, "version", "print the version",
              [&invocation] { return print_version(invocation); });
}

}  // namespace wake::gateway::cli
