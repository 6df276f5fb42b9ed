#include "db/alerts.hpp"

#include <pqxx/connection>

#include "database_fixture.hpp"
#include "db/node_lease.hpp"
#include "db/registry_store.hpp"

namespace wake::db {
namespace {

using broker::AlertId;
using broker::UserId;

class AlertsTest : public DatabaseTest {
 protected:
  /// ann (user 1, phone c1) and a device.
  void SetUp() override {
    add_ann();
    sql("INSERT INTO devices (id, secret_hash) VALUES ('cam', sha256('x'))");
  }
  void pair() const { sql("INSERT INTO pairings (user_id, device_id, name) VALUES (1, 'cam', 'Garage')"); }
  std::vector<Alert> claim(int node, std::optional<UserId> user = std::nullopt) {
    return claim_alerts(connection_, node, user, 100);
  }
  /// Holds the next free node number while it lives.
  std::unique_ptr<NodeLease> node() {
    return std::make_unique<NodeLease>(
        NodeLease::Options{.url = url()}, [](int) {}, log_.sink());
  }
  LogBook log_;
  pqxx::connection connection_{url()};
};

TEST_F(AlertsTest, AChangeOfAPairingWritesOneForEachPhone) {
  pair();
  const auto alerts = claim(0);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].client_id.value, "c1");
  EXPECT_EQ(number("SELECT count(*) FROM alerts WHERE event = "
                   "'{\"type\":\"paired\",\"device_id\":\"cam\",\"name\":\"Garage\"}'"),
            1);
  EXPECT_TRUE(claim(0, UserId{2}).empty()) << "another user has none";
}

TEST_F(AlertsTest, ComeAgainUntilTheirRowIsGone) {
  pair();
  EXPECT_EQ(claim(0).size(), 1u);
  EXPECT_EQ(claim(0, UserId{1}).size(), 1u);
  sql("DELETE FROM alerts");
  EXPECT_TRUE(claim(0).empty());
}

TEST_F(AlertsTest, AreOneLivingNodesAlone) {
  const auto first = node();
  auto second = node();
  pair();
  EXPECT_EQ(claim(second->number()).size(), 1u);
  EXPECT_TRUE(claim(first->number()).empty());
  second.reset();
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (claim(first->number()).empty()) ASSERT_LT(std::chrono::steady_clock::now(), deadline);
}

TEST_F(AlertsTest, AreForTheNodeThatHasThePhonesSession) {
  const auto first = node();
  const auto second = node();
  sql("INSERT INTO sessions (client_id, principal_kind, principal_id, expiry_s, node) VALUES ('c1', 'user', "
      "'1', 1, " +
      std::to_string(second->number()) + ")");
  pair();
  EXPECT_TRUE(claim(first->number()).empty());
  EXPECT_EQ(claim(second->number()).size(), 1u);
}

TEST_F(AlertsTest, GoWithTheirPhone) {
  pair();
  sql("DELETE FROM phones");
  EXPECT_TRUE(claim(0).empty());
}

TEST_F(AlertsTest, OfTwoFirstPairingsOneIsTheOwners) {
  sql("INSERT INTO users (username, password_hash) VALUES ('bob', '$argon2id$x')");
  pair();
  sql("INSERT INTO pairings (user_id, device_id) SELECT id, 'cam' FROM users WHERE username = 'bob'");
  EXPECT_EQ(number("SELECT count(*) FROM pairings WHERE role = 'owner' AND user_id = 1"), 1);
  EXPECT_EQ(number("SELECT count(*) FROM pairings WHERE role = 'member'"), 1);
  sql("DELETE FROM pairings WHERE role = 'owner'");
  EXPECT_EQ(number("SELECT count(*) FROM pairings"), 0) << "members go with the owner";
}

}  // namespace
}  // namespace wake::db
