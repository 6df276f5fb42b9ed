// File and environment -> Config. The environment wins over the file, the file over the defaults. Every wrong
// thing is collected, so that an operator mends a configuration in one go.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"

namespace wake::config {

using Environment = std::map<std::string, std::string>;

/// The variables of this process that begin with WAKEMQ_.
Environment process_environment();

/// One thing wrong: "wakemq.toml:12: limits.max_packet: expected a size as "1MiB", not true".
struct Problem {
  std::string where;    // "file:line" or the variable's name; the file alone, or "", when nothing was written
  std::string key;      // "limits.max_packet", "listener[0].address"; "" when the file itself is at fault
  std::string message;  // what was expected
  std::string text() const;
  friend bool operator==(const Problem&, const Problem&) = default;
};

struct Loaded {
  Config config;                  // only to be used when there are no problems
  std::vector<Problem> problems;  // in the order of the file, then of the environment, then of check.hpp
};

/// Reads `file`, or without one the first that exists of config/wakemq.toml and /etc/wakemq/wakemq.toml, or
/// none; then the environment; then checks what keys say together (config/check.hpp). Reads the files that
/// keys name, so it may block on a disk. Throws nothing that an operator can cause. Thread: any.
Loaded load(const std::optional<std::string>& file, const Environment& environment);

/// What differs and takes effect only after a restart, as "limits.max_connections": for the log after SIGHUP.
std::vector<std::string> needs_restart(const Config& running, const Config& wanted);

/// Keys that are set and behind which there is nothing yet, as "cluster.nats_url": said at start, lest
/// somebody rests on one.
std::vector<std::string> unused_keys(const Config& config);

}  // namespace wake::config
