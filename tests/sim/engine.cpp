#include "tests/sim/engine.hpp"

#include <cstdio>

#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json.hpp>

namespace wake::sim {
namespace {

using Json = nlohmann::json;
constexpr std::uint32_t kRefusedStream = 7;  // RFC 9113 §7
constexpr std::size_t kTokenShown = 8;       // characters of a device token in a log line

Time now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

std::string debug_data(const GoAway& goaway) {
  return goaway.reason.empty() ? std::string{} : Json{{"reason", goaway.reason}}.dump();
}

const char* name_of(Fate fate) {
  switch (fate) {
    case Fate::Sent:
      return "";
    case Fate::Closed:
      return "lost";
    case Fate::Silent:
      return "silent";
    case Fate::Reset:
      return "reset";
    case Fate::Frozen:
      return "frozen";
  }
  return "?";
}

bool shows(const Answer& answer) {
  const Show show = answer.show.value_or(Show::WhenTaken);
  return show == Show::Always || (show == Show::WhenTaken && !answer.refuses());
}

}  // namespace

Engine::Engine(boost::asio::io_context& io, EngineOptions options, const ServerCertificate& certificate,
               Settings& settings, Service& service)
    : io_(io),
      options_(std::move(options)),
      settings_(settings),
      initial_settings_(settings),
      service_(service),
      ledger_(options_.storing, options_.ledger_entries),
      journal_(options_.log_entries, options_.log_file),
      server_(io, options_.listen, certificate, settings, *this) {}

void Engine::on_request(Request request) {
  ++requests_;
  Exchange exchange{now(), std::move(request), {}, {}, {}};
  exchange.verdict = service_.judge(exchange.request, exchange.at);
  if (exchange.verdict.accepted()) {
    if (auto answer = scripts_.take(exchange.verdict.target)) exchange.answer = *std::move(answer);
  }
  if (leave_unseen(exchange)) return;
  if (exchange.answer.show == Show::First) show(exchange);
  const auto delay = exchange.answer.delay.value_or(std::chrono::milliseconds(settings_.delay_ms));
  if (delay.count() == 0) return finish(std::move(exchange));
  auto timer = std::make_shared<boost::asio::steady_timer>(io_, delay);
  timer->async_wait([this, timer, held = std::make_shared<Exchange>(std::move(exchange))](auto error) {
    if (!error) finish(std::move(*held));
  });
}

/// Streams the script wants refused before anything happened to them.
bool Engine::leave_unseen(Exchange& exchange) {
  if (!exchange.answer.never_seen()) return false;
  const auto connection = exchange.request.connection;
  const auto stream = exchange.request.stream;
  const bool refuse = exchange.answer.refuse_stream;
  if (refuse) {
    server_.reset(connection, stream, kRefusedStream);
  } else {
    server_.go_away(connection, stream - 2 > 0 ? stream - 2 : 0, debug_data(*exchange.answer.goaway));
  }
  record(std::move(exchange), refuse ? "refused_stream" : "goaway");
  return true;
}

void Engine::finish(Exchange exchange) {
  const auto connection = exchange.request.connection;
  const auto stream = exchange.request.stream;
  if (!server_.waits(connection, stream)) return record(std::move(exchange), "gone");
  if (exchange.answer.goaway) server_.go_away(connection, stream, debug_data(*exchange.answer.goaway));
  if (shows(exchange.answer)) show(exchange);
  std::string fate = send(exchange);
  record(std::move(exchange), std::move(fate));
}

void Engine::show(Exchange& exchange) {
  if (!exchange.verdict.push) return;
  exchange.outcome = to_string(ledger_.deliver(*std::exchange(exchange.verdict.push, std::nullopt), now()));
}

/// Answers, or loses the answer; returns the fate for the log.
std::string Engine::send(Exchange& exchange) {
  const auto connection = exchange.request.connection;
  const auto stream = exchange.request.stream;
  if (exchange.verdict.accepted()) service_.script(exchange.verdict, exchange.answer, now());
  switch (exchange.answer.fate) {
    case Fate::Sent: {
      const int status = exchange.verdict.reply.status;
      server_.respond(connection, stream, std::move(exchange.verdict.reply));
      exchange.verdict.reply.status = status;
      service_.on_answered(connection, status);
      server_.update_stream_limit(connection);
      break;
    }
    case Fate::Closed:
      server_.close(connection);
      break;
    case Fate::Reset:
      server_.reset(connection, stream, exchange.answer.reset_code);
      break;
    case Fate::Frozen:
      server_.freeze(connection);
      break;
    case Fate::Silent:
      break;
  }
  return name_of(exchange.answer.fate);
}

void Engine::record(Exchange exchange, std::string fate) {
  Entry entry;
  entry.at = exchange.at;
  entry.took_ms = (now() - exchange.at).count();
  entry.status = fate.empty() ? exchange.verdict.reply.status : 0;
  entry.reason = std::move(exchange.verdict.reason);
  entry.target = std::move(exchange.verdict.target);
  entry.outcome = std::move(exchange.outcome);
  entry.request = std::move(exchange.request);
  entry.fate = std::move(fate);
  std::string kind = entry.fate.empty() ? std::to_string(entry.status) : entry.fate;
  if (entry.fate.empty() && !entry.reason.empty()) kind += " " + entry.reason;
  ++counts_[kind];
  if (!options_.quiet) print(entry, exchange.verdict.title);
  journal_.add(std::move(entry));
  if (changed_) changed_();
}

void Engine::print(const Entry& entry, const std::string& title) const {
  const auto type = entry.request.header("apns-push-type").value_or("push");
  const std::string result =
      entry.fate.empty() ? std::to_string(entry.status) : "no answer (" + entry.fate + ")";
  std::string line = service_.name() + std::string(": ");
  if (entry.target.empty() || entry.target == "oauth") {
    line += entry.request.method + " " + entry.request.path.substr(0, 80);
  } else {
    line += std::string(type) + " to " + entry.target.substr(0, kTokenShown) + "…";
    if (!title.empty()) line += " \"" + title + "\"";
  }
  line += " -> " + result;
  for (const auto* word : {&entry.reason, &entry.outcome}) {
    if (!word->empty()) line += " " + *word;
  }
  std::fprintf(stderr, "%s\n", line.c_str());
}

void Engine::apply_settings(const Json& changes) {
  settings_.apply(changes);
  server_.update_stream_limits();
}

Json Engine::stats() const {
  return {{"requests", requests_},
          {"answers", counts_},
          {"connections", server_.connections()},
          {"log", journal_.last()},
          {"scripted", scripts_.size()}};
}

void Engine::reset() {
  scripts_.clear();
  ledger_.clear();
  journal_.clear();
  counts_.clear();
  requests_ = 0;
  service_.reset();
  settings_ = initial_settings_;
  server_.update_stream_limits();
}

}  // namespace wake::sim
