// The command line both simulators share, and their life: keys, listen, say where, serve until SIGTERM or
// SIGINT.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>

#include "tests/sim/engine.hpp"
#include "tests/sim/keys.hpp"

namespace wake::sim {

struct ProgramOptions {
  std::string dir;                 // of the credentials; made when missing
  std::vector<std::string> hosts;  // names in the certificate; the first is used in printed URLs
  std::string control_address = "127.0.0.1";
  std::uint16_t control_port = 0;
  bool make_keys_only = false;
  bool die_with_parent = false;  // SIGTERM when the thread that started it ends
  EngineOptions engine;
};

/// Adds the shared options to `app`; they are read into `options`.
void add_options(CLI::App& app, ProgramOptions& options);

/// What one program puts in.
struct Parts {
  Settings settings;
  std::unique_ptr<Service> service;  // made by main, which sees keys and settings
  /// Called once the port is known; returns what the start line says besides the shared members.
  std::function<nlohmann::json(const std::string& endpoint)> announce;
};

/// Runs until a signal. `make` is given the keys (which live until the end) and the settings object the
/// service has to read. Returns the exit code; problems at start are said on stderr.
int run(const ProgramOptions&, const std::function<void(const Keys&, Parts&)>& make);

}  // namespace wake::sim
