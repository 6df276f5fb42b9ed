// One statement of a transaction from its columns (db/pq/params.hpp).
#pragma once

#include <vector>

#include "db/pq/params.hpp"
#include "db/pq/session.hpp"

namespace wake::db {

/// Appends the statement unless its first column is empty: then there is nothing to do.
template <class... Columns>
void append(std::vector<pq::Statement>& out, const Query& query, pq::Column& first, Columns&... rest) {
  if (first.size() == 0) return;
  pq::Statement& statement = out.emplace_back(pq::Statement{&query, {}});
  statement.parameters.reserve(2 + sizeof...(rest));
  statement.parameters.push_back(first.take());
  (statement.parameters.push_back(rest.take()), ...);
}

}  // namespace wake::db
