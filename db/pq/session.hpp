// One connection for the hot paths, straight on libpq: prepared statements, binary parameters, and a whole
// transaction in one round trip (libpq's pipeline mode). libpqxx has none of the three. One thread at a time.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include "db/query.hpp"
#include "db/storage_away.hpp"

struct pg_conn;
struct pg_result;

namespace wake::db::pq {

/// PostgreSQL refused a statement; the transaction was rolled back and the session is usable.
struct Refused : std::runtime_error {
  Refused(std::string state, const std::string& text) : runtime_error(text), sqlstate(std::move(state)) {}
  /// Deadlock or serialization failure: the same transaction may pass next time.
  bool is_transient() const { return sqlstate == "40P01" || sqlstate == "40001"; }
  std::string sqlstate;
};

struct Statement {
  const Query* query;
  std::vector<std::string> parameters;  // binary (params.hpp), in order of $1..$n
};

/// Rows of one statement, as text.
struct Rows {
  struct Free {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Free> result;
  int size() const;
  std::string text(int row, int column) const;
  std::int64_t integer(int row, int column) const;
};

struct SessionOptions {
  std::string url;
  const char* name = "wakemq";                      // application_name, for pg_stat_activity
  std::chrono::milliseconds reply_timeout{30'000};  // a server silent for so long counts as lost
};

class Session {
 public:
  /// Connects (at most 5 s) and prepares. Throws StorageAway; Refused when a statement does not fit the
  /// schema.
  ///   stop   given up waiting for answers when requested: StorageAway
  Session(const SessionOptions& options, std::span<const Query* const> queries, std::stop_token stop);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Runs the statements in order as one transaction, sent at once. Returns their rows after COMMIT
  /// succeeded.
  ///   throws StorageAway: the outcome is unknown and the session is dead; Refused: nothing was changed
  std::vector<Rows> transact(std::span<const Statement> statements);

  /// Between transactions: throws StorageAway when the server has closed the connection. Asks nothing of the
  /// server.
  void check();

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  void prepare(std::span<const Query* const> queries);
  void send(const Statement& statement);
  void send_plain(const char* sql);
  void sync();
  std::vector<Rows> collect();
  void wait_for_answer();
  [[noreturn]] void throw_away(const char* when) const;

  std::unique_ptr<pg_conn, Close> connection_;
  std::chrono::milliseconds reply_timeout_;
  std::stop_token stop_;
};

}  // namespace wake::db::pq
