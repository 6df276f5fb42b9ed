// How push and db speak to the operator without knowing the logger. The gateway hands in a sink; tests hand
// in a vector.
#pragma once

#include <functional>
#include <string_view>

namespace wake::push {

enum class LogLevel { Debug, Info, Warn, Error };

/// `event` is a fixed dotted name ("push.channel_down"), `text` one sentence with the facts. No secret, no
/// whole token. Called from the owner's thread; must be safe from any thread.
using LogSink = std::function<void(LogLevel, std::string_view event, std::string_view text)>;

}  // namespace wake::push
