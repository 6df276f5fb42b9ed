#include "tests/sim/journal.hpp"

#include <stdexcept>

#include <nlohmann/json.hpp>

#include "tests/sim/encoding.hpp"

namespace wake::sim {
namespace {

using Json = nlohmann::json;

constexpr std::ptrdiff_t kMaxBrackets =
    1000;  // writing JSON is recursive: a body of 30,000 brackets stays text

/// A body of JSON is written as JSON, so that a reader need not parse twice; anything else as text.
Json body_json(const std::string& body) {
  if (std::count(body.begin(), body.end(), '[') + std::count(body.begin(), body.end(), '{') > kMaxBrackets)
    return body;
  auto parsed = Json::parse(body, nullptr, false);
  return parsed.is_discarded() ? Json(body) : parsed;
}

std::string line(const Entry& entry) {
  Json headers = Json::object();
  for (const auto& [name, value] : entry.request.headers) headers[name] = value;
  const Json json = {{"n", entry.number},
                     {"at", iso_time(entry.at)},
                     {"took_ms", entry.took_ms},
                     {"connection", entry.request.connection},
                     {"stream", entry.request.stream},
                     {"method", entry.request.method},
                     {"path", entry.request.path},
                     {"headers", std::move(headers)},
                     {"body", body_json(entry.request.body)},
                     {"body_bytes", entry.request.body_bytes},
                     {"token", entry.target},
                     {"status", entry.status},
                     {"reason", entry.reason},
                     {"outcome", entry.outcome},
                     {"fate", entry.fate}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

Journal::Journal(std::size_t limit, const std::string& file) : limit_(limit) {
  if (file.empty()) return;
  file_.open(file, std::ios::app);
  if (!file_) throw std::runtime_error("cannot write the log file " + file);
}

void Journal::add(Entry entry) {
  entry.number = next_++;
  if (file_.is_open()) file_ << line(entry) << std::flush;
  if (limit_ == 0) return;
  if (kept_.size() == limit_) kept_.pop_front();
  kept_.push_back(std::move(entry));
}

std::string Journal::lines(std::uint64_t since) const {
  std::string text;
  for (const auto& entry : kept_) {
    if (entry.number > since) text += line(entry);
  }
  return text;
}

}  // namespace wake::sim
