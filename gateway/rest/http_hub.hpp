// What all connections of the REST server share: limits, the router's context, worker threads, counters, and
// who is connected. Everything but the counters and the pools belongs to the io thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <unordered_set>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "gateway/rest/call.hpp"
#include "gateway/rest/options.hpp"
#include "gateway/rest/pending_answers.hpp"

namespace wake::gateway::rest {

/// One connection, as the server ends it.
class HttpConnectionBase {
 public:
  virtual ~HttpConnectionBase() = default;
  virtual void start() = 0;
  /// After the answer under way, or at once when there is none.
  virtual void shut_down() = 0;
  virtual void close_now() = 0;
};

struct HttpCounters {
  std::atomic<std::uint64_t>
      answers[6]{};  // by first digit of the status; 0: handler ended with none of these
  std::atomic<std::uint64_t> turned_away{0};
  std::atomic<std::uint64_t> malformed{0};
  std::atomic<std::int64_t> connections{0};
  void count(int status) { ++answers[static_cast<std::size_t>(status / 100) % 6]; }
  std::string to_prometheus() const;
};

struct HttpHub {
  explicit HttpHub(const RestOptions& rest_options, Context& router_context)
      : options(rest_options),
        context(router_context),
        workers(static_cast<std::size_t>(rest_options.worker_count)) {}

  const RestOptions& options;
  Context& context;
  HttpCounters counters;
  boost::asio::io_context io{1};
  boost::asio::thread_pool workers;
  boost::asio::thread_pool observers{
      1};  // /healthz and its like answer while all workers wait for PostgreSQL
  boost::asio::steady_timer stop_deadline{io};
  std::unordered_set<HttpConnectionBase*> connections;
  bool is_stopping = false;

  void add(HttpConnectionBase& connection) {
    connections.insert(&connection);
    ++counters.connections;
  }
  void remove(HttpConnectionBase& connection) {
    if (connections.erase(&connection) == 0) return;
    --counters.connections;
    if (is_stopping && connections.empty()) stop_deadline.cancel();
  }
  PendingAnswers pending{io};  // the last, because it holds connections
};

}  // namespace wake::gateway::rest
