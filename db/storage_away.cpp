#include "db/storage_away.hpp"

#include <string>
#include <string_view>

#include <pqxx/except>

namespace wake::db {
namespace {

/// Class 08: connection exception; 57P0x: the server is stopping or starting; 53300: no connection is left.
/// No code at all: libpq made the error itself, which it does only when the connection is gone.
bool means_away(std::string_view sqlstate) {
  return sqlstate.empty() || sqlstate.starts_with("08") || sqlstate.starts_with("57P0") ||
         sqlstate == "53300";
}

std::string one_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  std::string line(text);
  for (char& c : line) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return line;
}

}  // namespace

void rethrow_storage_error() {
  try {
    throw;
  } catch (const pqxx::broken_connection& error) {
    throw StorageAway("PostgreSQL is away: " + one_line(error.what()));
  } catch (const pqxx::in_doubt_error& error) {
    throw StorageAway("PostgreSQL went away during COMMIT: " + one_line(error.what()));
  } catch (const pqxx::statement_completion_unknown& error) {
    throw StorageAway("PostgreSQL went away: " + one_line(error.what()));
  } catch (const pqxx::sql_error& error) {
    if (means_away(error.sqlstate())) throw StorageAway("PostgreSQL is away: " + one_line(error.what()));
    throw;
  }
}

}  // namespace wake::db
