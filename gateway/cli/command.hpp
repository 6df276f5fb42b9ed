// What every command shares: the invocation under way, --config and --json, the loaded configuration,
// accounts in PostgreSQL, and errors that end as one line and an exit status.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "broker-core/types.hpp"
#include "db/pool.hpp"
#include "gateway/cli/cli.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's own
class App;
}

namespace wake::gateway::cli {

/// One command line: what it said, and what is to be done.
struct Invocation {
  World& world;
  std::string config_file;  // --config; empty: not given
  bool is_json = false;
  std::function<int()> action;  // set by the subcommand that was named; returns the exit status
};

/// Ends the command with this message and status.
struct CommandFailed : std::runtime_error {
  CommandFailed(int exit_status, const std::string& message)
      : std::runtime_error(message), status(exit_status) {}
  int status;
};

/// --config FILE; every level takes it.
void add_config_option(CLI::App& level, Invocation& invocation);
/// Adds a subcommand with --config that does `action`.
CLI::App& add_command(CLI::App& parent, Invocation& invocation, const std::string& name,
                      const std::string& prose, std::function<int()> action);
/// Adds a subcommand that only holds account commands; it takes --config and --json for them.
CLI::App& add_group(CLI::App& parent, Invocation& invocation, const std::string& name,
                    const std::string& prose);
void add_json_flag(CLI::App& command, Invocation& invocation);

/// A command with --json whose `work(Invocation&, const Arguments&)` returns the exit status.
template <class Arguments, class Work>
CLI::App& add_account_command(CLI::App& group, Invocation& invocation, std::shared_ptr<Arguments> arguments,
                              const char* name, const char* prose, Work work) {
  const auto action = [&invocation, arguments, work] { return work(invocation, *arguments); };
  CLI::App& command = add_command(group, invocation, name, prose, action);
  add_json_flag(command, invocation);
  return command;
}

/// The configuration as it is to be served. Wrong: prints every problem and throws CommandFailed with
/// kWrongUsage.
config::Config load_config(Invocation& invocation);

/// A pool on the configured database whose schema is this binary's; else CommandFailed saying what to run.
class Accounts {
 public:
  explicit Accounts(Invocation& invocation);
  db::Pool& pool() { return pool_; }

 private:
  db::Pool pool_;
};

/// One object: with --json one line of JSON, else `text`.
void answer(Invocation& invocation, const nlohmann::json& json, const std::string& text);

/// Rows under a heading, columns aligned by the widest cell; or with --json {"items":[…]}.
using Row = std::vector<std::string>;
void answer_list(Invocation& invocation, const nlohmann::json& items, const Row& heading,
                 const std::vector<Row>& rows);

/// RFC 3339, as REST writes it.
std::string time_text(broker::UtcTime time);

/// All pages of a list, `page(PageRequest)` being one.
template <class Item, class Page>
std::vector<Item> all_items(Page&& page) {
  std::vector<Item> items;
  std::optional<std::string> after = std::string();
  while (after) {
    auto part = page(*after);
    for (Item& item : part.items) items.push_back(std::move(item));
    after = part.items.empty() ? std::nullopt : part.next;
  }
  return items;
}

}  // namespace wake::gateway::cli
