#include "db/bridge_lease.hpp"

#include <map>
#include <memory>

#include <pqxx/connection>

#include "database_fixture.hpp"

namespace wake::db {
namespace {

using std::chrono::milliseconds;

/// One gateway: what it holds.
class Gateway {
 public:
  Gateway(const std::string& url, std::vector<std::string> bridges, LogBook& log) {
    BridgeLease::Options options{.url = url, .bridges = std::move(bridges)};
    options.check_every = milliseconds(10);
    options.backoff = {milliseconds(5), milliseconds(20)};
    const auto changed = [this](const std::string& bridge, bool is_held) {
      heard_.change([&](auto& heard) { heard.push_back((is_held ? "+" : "-") + bridge); });
    };
    lease_ = std::make_unique<BridgeLease>(std::move(options), changed, log.sink());
  }
  bool hears(const std::vector<std::string>& expected) {
    return heard_.wait([&](const auto& heard) { return heard == expected; });
  }
  std::vector<std::string> heard() const { return heard_.get(); }
  void die() { lease_.reset(); }

 private:
  Watched<std::vector<std::string>> heard_;
  std::unique_ptr<BridgeLease> lease_;  // its thread ends first
};

class BridgeLeaseTest : public DatabaseTest {
 protected:
  LogBook log_;
};

TEST_F(BridgeLeaseTest, OneGatewayHasEachAndAnotherFollowsWhenItIsGone) {
  Gateway first(url(), {"a", "b"}, log_);
  ASSERT_TRUE(first.hears({"+a", "+b"}));
  Gateway second(url(), {"a", "c"}, log_);
  ASSERT_TRUE(second.hears({"+c"}));
  first.die();
  EXPECT_TRUE(second.hears({"+c", "+a"}));
  EXPECT_EQ(first.heard(), (std::vector<std::string>{"+a", "+b"}));
}

TEST_F(BridgeLeaseTest, WhoLosesItsConnectionIsToldAndTriesAgain) {
  Gateway only(url(), {"a"}, log_);
  ASSERT_TRUE(only.hears({"+a"}));
  end_other_connections();
  EXPECT_TRUE(only.hears({"+a", "-a", "+a"}));
  EXPECT_EQ(log_.count("db.bridge_lease_away"), 1);
}

TEST_F(BridgeLeaseTest, FiltersThatAreNotAskedForAnyMoreAreRemembered) {
  pqxx::connection connection(url());
  const auto former = [&](const std::vector<BridgeFilters>& wanted) {
    std::map<std::string, std::vector<std::string>> by_bridge;
    for (const BridgeFilters& one : exchange_bridge_filters(connection, wanted))
      by_bridge[one.bridge] = one.filters;
    return by_bridge;
  };
  EXPECT_TRUE(former({{"a", {"x/#", "y/#"}}, {"b", {"x/#"}}})["a"].empty());
  EXPECT_EQ(former({{"a", {"y/#", "z \"{,}"}}, {"b", {}}})["a"], std::vector<std::string>{"x/#"});
  EXPECT_EQ(former({{"a", {}}, {"b", {}}})["b"], std::vector<std::string>{"x/#"});
  former({{"a", {}}});
  EXPECT_TRUE(former({{"b", {}}})["b"].empty()) << "forgotten with its bridge";
}

}  // namespace
}  // namespace wake::db
