// KeepAnswer, carried out by those who create. Heavy (libpqxx): include it in .cpp files only.
#pragma once

#include <pqxx/transaction>

#include "db/exec.hpp"
#include "db/idempotency_store.hpp"
#include "db/sql/idempotency.sql.hpp"

namespace wake::db {

/// In the transaction that has made `made`.
template <class Made>
void keep_answer(pqxx::work& work, const KeepAnswer<Made>& keep, const Made& made) {
  if (!keep.request) return;
  const auto answer = keep.to_answer(made);
  exec(work, sql::idempotency_answer, keep.request->principal, keep.request->key, answer.status, answer.body);
}

}  // namespace wake::db
