// A real PostgreSQL for a test program: a private cluster, started at the first use, stopped and removed when
// the program ends, however it ends; or the server named by WAKE_TEST_DATABASE. Each test makes databases of
// its own in it. Header only, libpq only: any test program that links libpq may include it.
#pragma once

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <libpq-fe.h>
#include <sys/wait.h>
#include <unistd.h>

namespace wake::test {

namespace detail {

/// Runs as the cluster's owner in a session of its own. Its standard input is a pipe whose other end only the
/// test program holds: end of file there means the program is gone, also after a crash or SIGKILL.
inline constexpr const char* kClusterScript = R"sh(
set -e
cd /
dir=$(mktemp -d /tmp/wake-pg-XXXXXX)
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
trap '"$bin/pg_ctl" -D "$dir/data" -m immediate stop >"$dir/stop.log" 2>&1 || true; rm -rf "$dir"' EXIT
"$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1 \
  || { cat "$dir/initdb.log"; exit 1; }
"$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w \
  -o "-k $dir -c listen_addresses= -c fsync=off -c max_connections=200 -c shared_buffers=64MB" start >"$dir/start.log" 2>&1 \
  || { cat "$dir/start.log" "$dir/server.log"; exit 1; }
echo "ready $dir"
read -r end || true
)sh";

struct CloseConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};

class Cluster {
 public:
  Cluster() {
    std::array<int, 2> keep{}, said{};
    if (pipe2(keep.data(), O_CLOEXEC) != 0 || pipe2(said.data(), O_CLOEXEC) != 0)
      throw std::runtime_error("pipe2 failed");
    child_ = fork();
    if (child_ == 0) become_cluster(keep[0], said[1]);
    close(keep[0]);
    close(said[1]);
    keep_ = keep[1];
    const std::string answer = read_all_until_ready(said[0]);
    close(said[0]);
    if (!answer.starts_with("ready ")) throw std::runtime_error("no private PostgreSQL: " + answer);
    url_ = "host='" + answer.substr(6, answer.find('\n') - 6) + "' user='postgres' dbname='postgres'";
  }
  ~Cluster() {
    close(keep_);
    waitpid(child_, nullptr, 0);
  }
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  const std::string& url() const { return url_; }

 private:
  [[noreturn]] static void become_cluster(int in, int out) {
    setsid();
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    if (geteuid() == 0)
      execlp("runuser", "runuser", "-u", "postgres", "--", "sh", "-c", kClusterScript, nullptr);
    execlp("sh", "sh", "-c", kClusterScript, nullptr);
    _exit(127);
  }
  static std::string read_all_until_ready(int from) {
    std::string answer;
    std::array<char, 256> bytes{};
    while (answer.find("ready ") == std::string::npos || answer.back() != '\n') {
      const ssize_t got = read(from, bytes.data(), bytes.size());
      if (got <= 0) break;
      answer.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return answer;
  }

  pid_t child_ = -1;
  int keep_ = -1;
  std::string url_;
};

/// Where databases are made: WAKE_TEST_DATABASE (URI or key=value form, a role that may create databases),
/// else our cluster.
inline std::string server_url() {
  if (const char* url = std::getenv("WAKE_TEST_DATABASE"); url != nullptr && *url != '\0') return url;
  static const Cluster cluster;
  return cluster.url();
}

/// The same server, another database.
inline std::string with_database(const std::string& url, const std::string& name) {
  char* error = nullptr;
  PQconninfoOption* const options = PQconninfoParse(url.c_str(), &error);
  if (options == nullptr) throw std::runtime_error(error);
  std::string out;
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    const bool is_name = std::string(option->keyword) == "dbname";
    if (option->val == nullptr && !is_name) continue;
    out += std::string(option->keyword) + "='";
    for (const char c : is_name ? name : std::string(option->val)) {
      if (c == '\'' || c == '\\') out += '\\';
      out += c;
    }
    out += "' ";
  }
  PQconninfoFree(options);
  return out;
}

}  // namespace detail

/// Runs SQL on its own short connection; returns the first column of the first row, empty when there is none.
inline std::string run_sql(const std::string& url, const std::string& sql) {
  const std::unique_ptr<PGconn, detail::CloseConnection> connection(PQconnectdb(url.c_str()));
  if (PQstatus(connection.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  const std::unique_ptr<PGresult, detail::ClearResult> result(PQexec(connection.get(), sql.c_str()));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    throw std::runtime_error(PQresultErrorMessage(result.get()));
  if (status == PGRES_COMMAND_OK || PQntuples(result.get()) == 0) return "";
  return PQgetvalue(result.get(), 0, 0);
}

/// An empty database, dropped at the end of its life together with whoever is still connected.
class FreshDatabase {
 public:
  FreshDatabase() {
    static std::atomic<int> count{0};
    name_ = "wake_test_" + std::to_string(getpid()) + "_" + std::to_string(++count);
    run_sql(detail::server_url(), "CREATE DATABASE " + name_);
  }
  ~FreshDatabase() { run_sql(detail::server_url(), "DROP DATABASE " + name_ + " WITH (FORCE)"); }
  FreshDatabase(const FreshDatabase&) = delete;
  FreshDatabase& operator=(const FreshDatabase&) = delete;
  std::string url() const { return detail::with_database(detail::server_url(), name_); }
  /// See run_sql().
  std::string sql(const std::string& text) const { return run_sql(url(), text); }

 private:
  std::string name_;
};

}  // namespace wake::test
