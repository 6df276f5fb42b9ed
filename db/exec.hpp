// Runs a named query with parameters. Heavy (libpqxx): include it in .cpp files only.
#pragma once

#include <utility>

#include <pqxx/connection_base>
#include <pqxx/prepared_statement>
#include <pqxx/result>
#include <pqxx/transaction_base>

#include "db/query.hpp"

namespace wake::db {

/// Prepares the query on this connection at its first use, then executes it; a std::optional or nullptr
/// argument is NULL. Throws what libpqxx throws (pool.hpp tells how a broken connection is told from a
/// refused statement).
template <class... Args>
pqxx::result exec(pqxx::transaction_base& transaction, const Query& query, Args&&... args) {
  transaction.conn().prepare(query.name, query.text);
  return transaction.exec_prepared(query.name, std::forward<Args>(args)...);
}

}  // namespace wake::db
