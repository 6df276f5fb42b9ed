#include "db/installation.hpp"

#include <pqxx/connection>

#include "database_fixture.hpp"

namespace wake::db {
namespace {

class InstallationTest : public DatabaseTest {};

TEST_F(InstallationTest, IsMarkedAlikeForEveryConnectionAndUnlikeAnotherDatabase) {
  pqxx::connection one(url());
  pqxx::connection two(url());
  const std::string mark = installation_mark(one);
  EXPECT_EQ(mark.size(), 16u);
  EXPECT_EQ(installation_mark(two), mark);
}

}  // namespace
}  // namespace wake::db
