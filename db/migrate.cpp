#include "db/migrate.hpp"

#include <cstdio>
#include <map>

#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include "db/embedded_migrations.hpp"
#include "db/exec.hpp"
#include "db/sql/migrate.sql.hpp"
#include "db/storage_away.hpp"

namespace wake::db {
namespace {

struct Applied {
  std::string name;
  std::string checksum;
};
using AppliedByVersion = std::map<int, Applied>;

std::string title(int version, const std::string& name) {
  char number[16];
  std::snprintf(number, sizeof number, "%04d ", version);
  return number + name;
}

AppliedByVersion load_applied(pqxx::connection& connection) {
  pqxx::nontransaction session(connection);
  AppliedByVersion applied;
  if (!session.exec1(sql::has_schema_migrations.text)[0].as<bool>()) return applied;
  for (const auto& row : session.exec(sql::list_applied_migrations.text)) {
    applied[row[0].as<int>()] = {row[1].as<std::string>(), row[2].as<std::string>()};
  }
  return applied;
}

void refuse_foreign(const AppliedByVersion& applied) {
  const auto known = embedded_migrations();
  for (const auto& [version, row] : applied) {
    const EmbeddedMigration* mine = nullptr;
    for (const auto& migration : known) {
      if (migration.version == version) mine = &migration;
    }
    if (mine == nullptr) {
      throw MigrationRefused(
          "the database has migration " + title(version, row.name) +
          ", which this wakemq does not know: it is older than the database; use the newer wakemq");
    }
    if (row.checksum != mine->checksum) {
      throw MigrationRefused("migration " + title(version, mine->name) +
                             " was applied from a different file (checksum " + row.checksum.substr(0, 12) +
                             " in the database, " + std::string(mine->checksum, 12) +
                             " in this wakemq): use the wakemq that applied it, or an empty database");
    }
  }
}

MigrationStatus compare(const AppliedByVersion& applied) {
  refuse_foreign(applied);
  MigrationStatus status;
  if (!applied.empty()) status.applied = applied.rbegin()->first;
  for (const auto& migration : embedded_migrations()) {
    if (!applied.contains(migration.version))
      status.pending.push_back(title(migration.version, migration.name));
  }
  return status;
}

void apply(pqxx::connection& connection, const EmbeddedMigration& migration) {
  pqxx::work transaction(connection);
  transaction.exec(sql::create_schema_migrations.text);
  transaction.exec(migration.sql);
  transaction.exec_params(sql::record_migration.text, migration.version, migration.name, migration.checksum);
  transaction.commit();
}

}  // namespace

MigrationStatus migrate(const std::string& url, const std::function<void(const std::string&)>& report) {
  return with_storage_errors([&] {
    pqxx::connection connection(url);
    // Held by the session: it ends with the connection, also when something below throws.
    pqxx::nontransaction(connection).exec(sql::lock_migrations.text);
    const AppliedByVersion before = load_applied(connection);
    refuse_foreign(before);
    for (const auto& migration : embedded_migrations()) {
      if (before.contains(migration.version)) continue;
      apply(connection, migration);
      if (report) report(title(migration.version, migration.name));
    }
    return compare(load_applied(connection));
  });
}

MigrationStatus check_migrations(const std::string& url) {
  return with_storage_errors([&] {
    pqxx::connection connection(url);
    return compare(load_applied(connection));
  });
}

}  // namespace wake::db
