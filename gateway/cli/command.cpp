#include "gateway/cli/command.hpp"

#include <algorithm>
#include <iomanip>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <nlohmann/json.hpp>

#include "db/migrate.hpp"
#include "push/text.hpp"

namespace wake::gateway::cli {
namespace {

/// The configured database, when its schema is ours.
db::DatabaseOptions ready_database(Invocation& invocation) {
  db::DatabaseOptions options = load_config(invocation).database;
  options.pool = 1;
  const db::MigrationStatus status = db::check_migrations(options.url);
  if (!status.pending.empty()) {
    throw CommandFailed(kFailed, "the database lacks " + std::to_string(status.pending.size()) +
                                     " migration(s): run `wakemq migrate` first");
  }
  return options;
}

}  // namespace

void add_config_option(CLI::App& level, Invocation& invocation) {
  level
      .add_option("--config", invocation.config_file,
                  "configuration file (default: config/wakemq.toml, then /etc/wakemq/wakemq.toml)")
      ->option_text("FILE");
}

CLI::App& add_command(CLI::App& parent, Invocation& invocation, const std::string& name,
                      const std::string& prose, std::function<int()> action) {
  CLI::App& command = *parent.add_subcommand(name, prose);
  add_config_option(command, invocation);
  command.callback([&invocation, action = std::move(action)] { invocation.action = action; });
  return command;
}

CLI::App& add_group(CLI::App& parent, Invocation& invocation, const std::string& name,
                    const std::string& prose) {
  CLI::App& group = *parent.add_subcommand(name, prose);
  group.require_subcommand(1);
  add_config_option(group, invocation);
  add_json_flag(group, invocation);
  return group;
}

void add_json_flag(CLI::App& command, Invocation& invocation) {
  command.add_flag("--json", invocation.is_json, "answer in JSON");
}

config::Config load_config(Invocation& invocation) {
  std::optional<std::string> file;
  if (!invocation.config_file.empty()) file = invocation.config_file;
  config::Loaded loaded = config::load(file, invocation.world.environment);
  if (loaded.problems.empty()) return std::move(loaded.config);
  for (const config::Problem& problem : loaded.problems) invocation.world.err << problem.text() << '\n';
  const std::size_t count = loaded.problems.size();
  throw CommandFailed(kWrongUsage, "the configuration has " + std::to_string(count) +
                                       (count == 1 ? " problem" : " problems") + ", see above");
}

Accounts::Accounts(Invocation& invocation) : pool_(ready_database(invocation)) {}

std::string time_text(broker::UtcTime time) {
  std::string out;
  push::append_time(out, time);
  return out;
}

void answer(Invocation& invocation, const nlohmann::json& json, const std::string& text) {
  std::ostream& out = invocation.world.out;
  if (invocation.is_json) {
    out << json.dump() << '\n';
  } else {
    out << text << '\n';
  }
}

void answer_list(Invocation& invocation, const nlohmann::json& items, const Row& heading,
                 const std::vector<Row>& rows) {
  std::ostream& out = invocation.world.out;
  if (invocation.is_json) {
    out << nlohmann::json{{"items", items}}.dump() << '\n';
    return;
  }
  std::vector<std::size_t> widths(heading.size(), 0);
  const auto measure = [&](const Row& row) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  };
  const auto print = [&](const Row& row) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      out << std::left << std::setw(static_cast<int>(widths[i])) << row[i] << "  ";
    }
    out << row.back() << '\n';
  };
  measure(heading);
  std::ranges::for_each(rows, measure);
  print(heading);
  std::ranges::for_each(rows, print);
}

}  // namespace wake::gateway::cli
