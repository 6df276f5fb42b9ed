#include "db/pq/session.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string_view>

#include <libpq-fe.h>
#include <poll.h>

namespace wake::db::pq {
namespace {

using Clock = std::chrono::steady_clock;
// How soon a requested stop is noticed while an answer is awaited.
constexpr std::chrono::milliseconds kStopCheck{50};

std::string one_line(const char* text) {
  std::string line(text == nullptr ? "" : text);
  while (!line.empty() && line.back() == '\n') line.pop_back();
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

pg_conn* connect(const SessionOptions& options) {
  // What stands before dbname can be overridden by the URL, what stands after cannot.
  const char* const keys[] = {"fallback_application_name",
                              "connect_timeout",
                              "tcp_user_timeout",
                              "keepalives_idle",
                              "dbname",
                              "client_encoding",
                              nullptr};
  const char* const values[] = {options.name, "5", "15000", "15", options.url.c_str(), "UTF8", nullptr};
  return PQconnectdbParams(keys, values, 1);
}

struct Failure {
  std::string sqlstate;
  std::string text;
};

bool means_gone(std::string_view sqlstate) {
  return sqlstate.empty() || sqlstate.starts_with("08") || sqlstate.starts_with("57P0");
}

}  // namespace

void Rows::Free::operator()(pg_result* result) const { PQclear(result); }
int Rows::size() const { return PQntuples(result.get()); }
std::string Rows::text(int row, int column) const { return PQgetvalue(result.get(), row, column); }
std::int64_t Rows::integer(int row, int column) const {
  return std::strtoll(PQgetvalue(result.get(), row, column), nullptr, 10);
}

void Session::Close::operator()(pg_conn* connection) const { PQfinish(connection); }

Session::Session(const SessionOptions& options, std::span<const Query* const> queries, std::stop_token stop)
    : connection_(connect(options)), reply_timeout_(options.reply_timeout), stop_(std::move(stop)) {
  if (PQstatus(connection_.get()) != CONNECTION_OK) throw_away("connecting");
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  PQsetnonblocking(connection_.get(), 1);
  if (PQenterPipelineMode(connection_.get()) != 1) throw_away("entering pipeline mode");
  prepare(queries);
}

Session::~Session() = default;

void Session::prepare(std::span<const Query* const> queries) {
  // One plan, made once: an index lookup for each element of the arrays. Left alone, the planner would plan
  // anew each time or, having seen a table while it was small, go on reading it whole when it is large: our
  // statements, and worse, the foreign key checks of each row (measured: 10 times the time per message).
  for (const char* setting :
       {"SET plan_cache_mode = force_generic_plan", "SET enable_seqscan = off", "SET enable_bitmapscan = off",
        "SET enable_hashjoin = off", "SET enable_mergejoin = off", "SET enable_material = off",
        "SET enable_memoize = off", "SET jit = off"}) {
    send_plain(setting);
  }
  for (const Query* query : queries) {
    if (PQsendPrepare(connection_.get(), query->name, query->text, 0, nullptr) != 1) throw_away("preparing");
  }
  sync();
  collect();
}

std::vector<Rows> Session::transact(std::span<const Statement> statements) {
  send_plain("BEGIN");
  for (const Statement& statement : statements) send(statement);
  send_plain("COMMIT");
  sync();
  try {
    std::vector<Rows> rows = collect();
    const std::string_view outcome = PQcmdStatus(rows.back().result.get());
    if (outcome != "COMMIT") throw Refused("25P02", "COMMIT answered " + std::string(outcome));
    rows.pop_back();
    rows.erase(rows.begin());
    return rows;
  } catch (const Refused&) {
    send_plain("ROLLBACK");
    sync();
    collect();
    throw;
  }
}

void Session::check() {
  if (PQconsumeInput(connection_.get()) != 1 || PQstatus(connection_.get()) != CONNECTION_OK)
    throw_away("idle");
}

void Session::send(const Statement& statement) {
  const std::size_t count = statement.parameters.size();
  std::vector<const char*> values(count);
  std::vector<int> lengths(count);
  const std::vector<int> formats(count, 1);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = statement.parameters[i].data();
    lengths[i] = static_cast<int>(statement.parameters[i].size());
  }
  if (PQsendQueryPrepared(connection_.get(), statement.query->name, static_cast<int>(count), values.data(),
                          lengths.data(), formats.data(), 0) != 1) {
    throw_away("sending");
  }
}

void Session::send_plain(const char* sql) {
  if (PQsendQueryParams(connection_.get(), sql, 0, nullptr, nullptr, nullptr, nullptr, 0) != 1)
    throw_away("sending");
}

void Session::sync() {
  if (PQpipelineSync(connection_.get()) != 1) throw_away("sending");
}

/// Reads everything up to the sync. The first refusal is remembered; what follows it only says "aborted".
std::vector<Rows> Session::collect() {
  std::vector<Rows> all;
  std::optional<Failure> failure;
  while (true) {
    wait_for_answer();
    Rows rows{std::unique_ptr<pg_result, Rows::Free>(PQgetResult(connection_.get()))};
    if (!rows.result) {
      if (PQstatus(connection_.get()) != CONNECTION_OK) throw_away("waiting for the answer");
      continue;  // the end of one statement's results
    }
    const ExecStatusType status = PQresultStatus(rows.result.get());
    if (status == PGRES_PIPELINE_SYNC) break;
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
      all.push_back(std::move(rows));
    } else if (status != PGRES_PIPELINE_ABORTED && !failure) {
      const char* sqlstate = PQresultErrorField(rows.result.get(), PG_DIAG_SQLSTATE);
      failure =
          Failure{sqlstate == nullptr ? "" : sqlstate, one_line(PQresultErrorMessage(rows.result.get()))};
      if (means_gone(failure->sqlstate)) throw StorageAway("PostgreSQL went away: " + failure->text);
    }
  }
  if (failure) throw Refused(failure->sqlstate, failure->text);
  return all;
}

void Session::wait_for_answer() {
  const auto deadline = Clock::now() + reply_timeout_;
  while (true) {
    const int unsent = PQflush(connection_.get());
    if (unsent < 0) throw_away("sending");
    if (unsent == 0 && PQisBusy(connection_.get()) == 0) return;
    if (stop_.stop_requested()) throw StorageAway("stopped while PostgreSQL had not answered yet");
    if (Clock::now() > deadline) {
      throw StorageAway("PostgreSQL has not answered for " + std::to_string(reply_timeout_.count()) + " ms");
    }
    pollfd ready{PQsocket(connection_.get()), static_cast<short>(POLLIN | (unsent != 0 ? POLLOUT : 0)), 0};
    poll(&ready, 1, static_cast<int>(kStopCheck.count()));
    if ((ready.revents & (POLLIN | POLLERR | POLLHUP)) != 0 && PQconsumeInput(connection_.get()) != 1) {
      throw_away("waiting for the answer");
    }
  }
}

void Session::throw_away(const char* when) const {
  throw StorageAway(std::string("PostgreSQL is away (") + when +
                    "): " + one_line(PQerrorMessage(connection_.get())));
}

}  // namespace wake::db::pq
