// Brings a database to the schema that this binary carries. Used by `wakemq migrate` and by tests.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace wake::db {

/// The database cannot be brought to this binary's schema: it is newer, or a migration was edited after it
/// was applied.
struct MigrationRefused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct MigrationStatus {
  int applied = 0;                   // the database's version; 0: empty
  std::vector<std::string> pending;  // "0002 name", in order
};

/// Applies what is pending, each migration in a transaction of its own, and calls `report("0001 initial")`
/// after each. One migrator at a time: a second waits for an advisory lock, then finds nothing to do. Safe to
/// repeat.
///   throws MigrationRefused (nothing was changed); StorageAway; pqxx::sql_error when a migration itself
///   fails
MigrationStatus migrate(const std::string& url, const std::function<void(const std::string&)>& report = {});

/// Only tells. Throws as migrate() does.
MigrationStatus check_migrations(const std::string& url);

}  // namespace wake::db
