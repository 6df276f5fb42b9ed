// Connections to PostgreSQL for workers that may block (REST, command line, loads). The commit queue, the
// node lease, the outbox and the registry listener have connections of their own.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "db/connection_fwd.hpp"
#include "db/database_options.hpp"
#include "db/storage_away.hpp"

namespace wake::db {

/// At most `options.pool` connections, opened when first needed. A connection found broken is closed and
/// another opened. Any thread.
class Pool {
 public:
  /// One connection, this thread's until destroyed. Leave no transaction open.
  class Lease {
   public:
    Lease(Lease&&) noexcept;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    Connection& connection() { return *connection_; }

   private:
    friend class Pool;
    Lease(Pool& pool, std::unique_ptr<Connection> connection);
    Pool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  /// Opens nothing yet.
  explicit Pool(DatabaseOptions options, std::chrono::milliseconds max_wait = std::chrono::seconds(5));
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Waits at most max_wait for a free connection. Throws StorageAway: none came free, or none can be opened.
  Lease lease();

  /// `body(Connection&)` on a leased connection; a connection lost meanwhile is a StorageAway.
  /// Nothing is repeated: the caller knows whether that is safe.
  template <class Body>
  auto with(Body&& body) {
    Lease leased = lease();
    return with_storage_errors([&] { return body(leased.connection()); });
  }

 private:
  struct Shelf;
  std::unique_ptr<Connection> open() const;
  void give_back(std::unique_ptr<Connection> connection);

  DatabaseOptions options_;
  std::chrono::milliseconds max_wait_;
  std::unique_ptr<Shelf> shelf_;
};

}  // namespace wake::db
