// `wakemq serve`: the gateway from its first log line to its last.
#pragma once

#include "config/config.hpp"

namespace wake::gateway {

/// Runs until SIGTERM or SIGINT and returns the exit status of contract §3: 0 after an orderly end, 1 when
/// the gateway cannot be started (one log line says why and what to do). SIGHUP reads `config.file` again for
/// credentials, certificates and the log level; a second SIGTERM ends the process at once. Call it once, from
/// the main thread, before other threads.
int serve(const config::Config& config);

}  // namespace wake::gateway
