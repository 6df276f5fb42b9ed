// What the account_*.cpp share: transactions, times, text arrays, and cutting a page. Heavy (libpqxx):
// include it in .cpp files only.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include "broker-core/types.hpp"
#include "db/account_page.hpp"
#include "db/account_users.hpp"
#include "db/exec.hpp"
#include "db/pool.hpp"

namespace wake::db::account {

inline std::int64_t to_us(broker::UtcTime time) { return time.time_since_epoch().count(); }
inline broker::UtcTime to_time(const pqxx::field& field) {
  return broker::UtcTime(std::chrono::microseconds(field.as<std::int64_t>()));
}

/// Of the columns id, username, password_hash, scram, created_us.
User to_user(const pqxx::row& row);

/// One statement, committed by itself.
template <class... Args>
pqxx::result ask(Pool& pool, const Query& query, Args&&... args) {
  return pool.with([&](Connection& connection) {
    pqxx::nontransaction transaction(connection);
    return exec(transaction, query, std::forward<Args>(args)...);
  });
}

/// `body(pqxx::work&)`, then commit; its result.
template <class Body>
auto in_transaction(Pool& pool, Body&& body) {
  return pool.with([&](Connection& connection) {
    pqxx::work transaction(connection);
    auto result = body(transaction);
    transaction.commit();
    return result;
  });
}

/// `rows` were asked with a limit of page.limit + 1; `key(item)` is what the next page comes after.
template <class Row, class Make, class Key>
Page<Row> cut_page(const pqxx::result& rows, const PageRequest& request, Make make, Key key) {
  Page<Row> page;
  for (const pqxx::row& row : rows) {
    if (page.items.size() == static_cast<std::size_t>(request.limit)) {
      page.next = key(page.items.back());
      break;
    }
    page.items.push_back(make(row));
  }
  return page;
}

/// For lists ordered by number: the caller has checked that `after` is one.
inline std::int64_t after_number(const PageRequest& page) {
  return page.after.empty() ? 0 : std::stoll(page.after);
}

/// PostgreSQL's text form of an array: {"a","b"}.
std::string array_text(const std::vector<std::string>& items);
std::vector<std::string> array_items(const pqxx::field& field);

/// bytea travels as lower-case hexadecimal.
std::string to_hex(const std::string& bytes);
/// Throws std::runtime_error when it is none.
std::string from_hex(const std::string& digits);

}  // namespace wake::db::account
