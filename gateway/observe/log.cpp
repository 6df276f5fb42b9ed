#include "gateway/observe/log.hpp"

#include <atomic>
#include <string>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "gateway/observe/log_text.hpp"

namespace wake::gateway {

namespace {

std::atomic<bool> is_json{false};

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return spdlog::level::debug;
    case LogLevel::Info:
      return spdlog::level::info;
    case LogLevel::Warn:
      return spdlog::level::warn;
    case LogLevel::Error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

spdlog::level::level_enum level_of(config::LogThreshold threshold) {
  switch (threshold) {
    case config::LogThreshold::Debug:
      return spdlog::level::debug;
    case config::LogThreshold::Info:
      return spdlog::level::info;
    case config::LogThreshold::Warn:
      return spdlog::level::warn;
    case config::LogThreshold::Error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

void use_pattern(spdlog::logger& logger, config::LogFormat format) {
  constexpr auto kUtc = spdlog::pattern_time_type::utc;
  is_json = format == config::LogFormat::Json;
  logger.set_pattern(
      is_json ? R"({"at":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})" : "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v", kUtc);
}

spdlog::logger& logger() {
  static const auto made = [] {
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    auto logger = std::make_shared<spdlog::logger>("wakemq", sink);
    use_pattern(*logger, config::LogFormat::Text);
    logger->flush_on(spdlog::level::debug);
    return logger;
  }();
  return *made;
}

}  // namespace

void start_log(const config::LogOptions& options) {
  use_pattern(logger(), options.format);
  set_log_threshold(options.level);
}

void set_log_threshold(config::LogThreshold threshold) { logger().set_level(level_of(threshold)); }

bool is_logged(LogLevel level) { return logger().should_log(level_of(level)); }

void log(LogLevel level, std::string_view event, std::string_view text) {
  if (!is_logged(level)) return;
  logger().log(level_of(level), "{}", is_json ? json_fields(event, text) : text_fields(event, text));
}

push::LogSink log_sink() {
  return [](LogLevel level, std::string_view event, std::string_view text) { log(level, event, text); };
}

}  // namespace wake::gateway
