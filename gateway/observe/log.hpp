// The operator's log: one line per event on standard error, as text or JSON. Every line has an event name
// with a fixed meaning ("tls.handshake_failed") and one sentence of facts. No secret, no whole device token,
// no payload. Not here: what is worth a line; that is decided where it happens.
#pragma once

#include <string_view>

#include "config/options.hpp"
#include "push/log.hpp"

namespace wake::gateway {

using push::LogLevel;

/// Called once, before other threads log. Lines before it go out as text at level info.
void start_log(const config::LogOptions& options);
/// After SIGHUP. Any thread.
void set_log_threshold(config::LogThreshold threshold);
/// Whether a line of this level is written at all: ask before composing an expensive one.
bool is_logged(LogLevel level);

/// Any thread. Control characters in `text` come out escaped, so no client can forge a line.
void log(LogLevel level, std::string_view event, std::string_view text);

/// log() for the folders that know no logger.
push::LogSink log_sink();

}  // namespace wake::gateway
