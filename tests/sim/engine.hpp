// The way of one request through a simulator: judged by the rules, bent by the script, shown on the fake
// phone, answered (or not), written to the log. Owns everything but the sockets of the control port.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "tests/sim/journal.hpp"
#include "tests/sim/ledger.hpp"
#include "tests/sim/script.hpp"
#include "tests/sim/server.hpp"
#include "tests/sim/service.hpp"
#include "tests/sim/settings.hpp"

namespace wake::sim {

struct EngineOptions {
  Listen listen;
  Storing storing = Storing::NewestPerApp;
  std::size_t log_entries = 10'000;      // requests kept for GET /log
  std::size_t ledger_entries = 200'000;  // notifications kept over all phones; counts go on beyond it
  std::string log_file;                  // every request as a JSON line; empty: none
  bool quiet = false;                    // no line per push on stderr
};

class Engine final : private ServerEvents {
 public:
  /// `settings` and `service` outlive the engine; the service reads the same settings.
  Engine(boost::asio::io_context&, EngineOptions, const ServerCertificate&, Settings& settings,
         Service& service);

  Server& server() { return server_; }
  Service& service() { return service_; }
  Ledger& ledger() { return ledger_; }
  ScriptBook& scripts() { return scripts_; }
  const Journal& journal() const { return journal_; }
  const Settings& settings() const { return settings_; }
  void apply_settings(const nlohmann::json&);
  nlohmann::json stats() const;
  /// Scripts, phones, log, counters and settings as at the start; connections stay.
  void reset();
  /// Called after every request was dealt with: for those who wait for one.
  void on_change(std::function<void()> call) { changed_ = std::move(call); }

 private:
  struct Exchange {
    Time at;  // when the request was complete
    Request request;
    Verdict verdict;
    Answer answer;
    std::string outcome;
  };

  void on_open(ConnectionId id) override { service_.on_open(id); }
  void on_close(ConnectionId id) override { service_.on_close(id); }
  void on_request(Request) override;
  std::uint32_t stream_limit(ConnectionId id) const override { return service_.stream_limit(id); }

  bool leave_unseen(Exchange&);
  void finish(Exchange);
  void show(Exchange&);
  std::string send(Exchange&);
  void record(Exchange, std::string fate);
  void print(const Entry&, const std::string& title) const;

  boost::asio::io_context& io_;
  EngineOptions options_;
  Settings& settings_;
  Settings initial_settings_;
  Service& service_;
  Ledger ledger_;
  ScriptBook scripts_;
  Journal journal_;
  std::map<std::string, std::uint64_t> counts_;  // by "200", "410 Unregistered", "lost", ...
  std::uint64_t requests_ = 0;
  std::function<void()> changed_;
  Server server_;
};

}  // namespace wake::sim
