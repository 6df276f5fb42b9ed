#include "db/pool.hpp"

#include <pqxx/connection>
#include <pqxx/transaction>

#include "database_fixture.hpp"

/// Read by LeakSanitizer. libpqxx 6.4 forgets one PGresult (2 KiB) when a connection breaks inside exec():
/// its fault, bounded by the number of outages.
extern "C" const char* __lsan_default_suppressions() { return "leak:libpqxx-6.4.so"; }

namespace wake::db {
namespace {

using PoolTest = DatabaseTest;

int ask(Connection& connection) {
  pqxx::work transaction(connection);
  return transaction.exec1("SELECT 42")[0].as<int>();
}

TEST_F(PoolTest, GivesTheSameConnectionAgain) {
  Pool pool({url(), 2});
  int first = pool.with([](Connection& connection) { return connection.backendpid(); });
  EXPECT_EQ(pool.with([](Connection& connection) { return connection.backendpid(); }), first);
}

TEST_F(PoolTest, WaitsBoundedWhenAllAreTaken) {
  Pool pool({url(), 1}, std::chrono::milliseconds(20));
  const auto held = pool.lease();
  EXPECT_THROW(pool.lease(), StorageAway);
}

TEST_F(PoolTest, ReplacesAConnectionThatDiedWhileIdle) {
  Pool pool({url(), 1});
  EXPECT_EQ(pool.with(ask), 42);
  end_other_connections();
  EXPECT_EQ(pool.with(ask), 42);
}

TEST_F(PoolTest, AConnectionLostInUseIsStorageAwayAndReplaced) {
  Pool pool({url(), 1});
  EXPECT_THROW(pool.with([&](Connection& connection) {
    pqxx::work transaction(connection);
    end_other_connections();
    transaction.exec("SELECT 1");
  }),
               StorageAway);
  EXPECT_EQ(pool.with(ask), 42);
}

TEST_F(PoolTest, ARefusedStatementStaysWhatItIs) {
  Pool pool({url(), 1});
  EXPECT_THROW(pool.with([](Connection& connection) { pqxx::work(connection).exec("SELECT nonsense"); }),
               pqxx::sql_error);
  EXPECT_EQ(pool.with(ask), 42);
}

TEST(Pool, UnreachableDatabaseIsStorageAwayEveryTime) {
  Pool pool({"host=/nonexistent dbname=x", 1}, std::chrono::milliseconds(20));
  EXPECT_THROW(pool.lease(), StorageAway);
  EXPECT_THROW(pool.lease(), StorageAway);
}

}  // namespace
}  // namespace wake::db
