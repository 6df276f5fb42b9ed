#include "db/installation.hpp"

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "db/exec.hpp"
#include "db/sql/node.sql.hpp"

namespace wake::db {

std::string installation_mark(Connection& connection) {
  pqxx::nontransaction transaction(connection);
  return exec(transaction, sql::installation_mark).at(0)[0].as<std::string>();
}

}  // namespace wake::db
