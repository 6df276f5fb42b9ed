#include "db/migrate.hpp"

#include <thread>

#include "database_fixture.hpp"
#include "db/embedded_migrations.hpp"
#include "db/storage_away.hpp"

namespace wake::db {
namespace {

std::string refusal(const std::string& url) {
  try {
    migrate(url);
  } catch (const MigrationRefused& error) {
    return error.what();
  }
  return "";
}

TEST(Migrate, AppliesAllInOrderAndRepeatsWithoutChange) {
  const test::FreshDatabase database;
  EXPECT_EQ(check_migrations(database.url()).pending.size(), embedded_migrations().size());
  std::vector<std::string> reported;
  const auto status = migrate(database.url(), [&](const std::string& title) { reported.push_back(title); });
  EXPECT_EQ(reported.at(0), "0001 initial");
  EXPECT_EQ(reported.size(), embedded_migrations().size());
  EXPECT_TRUE(status.pending.empty());
  EXPECT_EQ(status.applied, embedded_migrations().back().version);
  reported.clear();
  migrate(database.url(), [&](const std::string& title) { reported.push_back(title); });
  EXPECT_TRUE(reported.empty());
}

TEST(Migrate, CheckOnlyTells) {
  const test::FreshDatabase database;
  EXPECT_EQ(check_migrations(database.url()).applied, 0);
  EXPECT_EQ(database.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
}

TEST(Migrate, TwoAtOnceApplyEachOnce) {
  const test::FreshDatabase database;
  std::atomic<int> reported{0};
  {
    const auto run = [&] { migrate(database.url(), [&](const std::string&) { ++reported; }); };
    const std::jthread one(run), two(run), three(run);
  }
  EXPECT_EQ(reported, static_cast<int>(embedded_migrations().size()));
}

TEST(Migrate, RefusesADatabaseThatIsNewer) {
  const test::FreshDatabase database;
  migrate(database.url());
  database.sql("INSERT INTO schema_migrations (version, name, checksum) VALUES (9999, 'later', 'x')");
  EXPECT_NE(refusal(database.url()).find("9999 later"), std::string::npos);
  EXPECT_THROW(check_migrations(database.url()), MigrationRefused);
}

TEST(Migrate, RefusesAChangedMigration) {
  const test::FreshDatabase database;
  migrate(database.url());
  database.sql("UPDATE schema_migrations SET checksum = 'edited'");
  EXPECT_NE(refusal(database.url()).find("checksum"), std::string::npos);
}

TEST(Migrate, SaysThatStorageIsAway) { EXPECT_THROW(migrate("host=/nonexistent dbname=x"), StorageAway); }

}  // namespace
}  // namespace wake::db
