#include "db/node_lease.hpp"

#include <memory>
#include <vector>

#include "database_fixture.hpp"
#include "db/storage_away.hpp"

namespace wake::db {
namespace {

using std::chrono::milliseconds;

class NodeLeaseTest : public DatabaseTest {
 protected:
  std::unique_ptr<NodeLease> take() {
    return std::make_unique<NodeLease>(
        NodeLease::Options{url(), milliseconds(10), {milliseconds(5), milliseconds(20)}},
        [this](int number) { heard_.change([&](auto& numbers) { numbers.push_back(number); }); },
        log_.sink());
  }
  LogBook log_;
  Watched<std::vector<int>> heard_;
};

TEST_F(NodeLeaseTest, EachNodeHasTheLowestFreeNumber) {
  const auto first = take();
  auto second = take();
  const auto third = take();
  EXPECT_EQ(first->number(), 0);
  EXPECT_EQ(second->number(), 1);
  EXPECT_EQ(third->number(), 2);
  second.reset();
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") > 2) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  }
  EXPECT_EQ(take()->number(), 1);
}

TEST_F(NodeLeaseTest, TellsWhenLostAndTakesTheSameAgain) {
  const auto first = take();
  const auto second = take();
  sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1");
  ASSERT_TRUE(heard_.wait([](const auto& numbers) { return numbers.size() >= 2; }));
  EXPECT_EQ(heard_.get(), (std::vector<int>{-1, 1}));
  EXPECT_TRUE(second->is_held());
  EXPECT_EQ(second->number(), 1);
  EXPECT_EQ(log_.count("db.node_lease_away"), 1);
}

TEST_F(NodeLeaseTest, RefusesTheThirtyThird) {
  std::vector<std::unique_ptr<NodeLease>> all;
  for (int i = 0; i < kNodeCount; ++i) all.push_back(take());
  EXPECT_EQ(all.back()->number(), 31);
  try {
    take();
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("32"), std::string::npos);
  }
}

TEST(NodeLease, SaysThatStorageIsAway) {
  EXPECT_THROW(NodeLease({"host=/nonexistent dbname=x"}, {}, LogBook().sink()), StorageAway);
}

}  // namespace
}  // namespace wake::db
