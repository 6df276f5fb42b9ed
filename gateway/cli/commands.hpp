// The commands behind cli.hpp, one function a group; each adds its subcommands to the parser. A command's
// work runs after parsing, as an Action. Not here: parsing rules common to all (command.hpp has them).
#pragma once

namespace CLI {
class App;
}

namespace wake::gateway::cli {

struct Invocation;

void add_serve(CLI::App& app, Invocation& invocation);
void add_migrate(CLI::App& app, Invocation& invocation);
void add_check_config(CLI::App& app, Invocation& invocation);
void add_user_commands(CLI::App& app, Invocation& invocation);
void add_device_commands(CLI::App& app, Invocation& invocation);
void add_acl_commands(CLI::App& app, Invocation& invocation);
void add_api_key_commands(CLI::App& app, Invocation& invocation);
void add_version(CLI::App& app, Invocation& invocation);

}  // namespace wake::gateway::cli
