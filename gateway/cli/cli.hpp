// The command line of the one binary (contract §3, §10): reads arguments, loads the configuration, does one
// command. Not here: what a command does beyond that; `serve` is handed in by main.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/load.hpp"

namespace wake::gateway::cli {

/// Exit statuses of contract §3.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;  // or a wrong configuration

/// The world as a command sees it; a test hands in its own.
struct World {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  config::Environment environment;
  std::function<int(const config::Config&)> serve;  // returns the exit status
};

/// Carries out one command line (without the program's name) and returns the exit status. Every failure is
/// one line on `err` saying what to do next; passwords come from `in` only. Blocks.
int run(const std::vector<std::string>& arguments, World& world);

}  // namespace wake::gateway::cli
