// Wills through the commit queue's statements and back at a start.
#include "db/will_store.hpp"

#include <array>
#include <memory>
#include <optional>
#include <set>
#include <thread>

#include <pqxx/connection>

#include "database_fixture.hpp"
#include "db/commit_queue.hpp"
#include "db/node_lease.hpp"

namespace wake::db {
namespace {

using broker::MessageId;
using broker::Persist;
using broker::Principal;
using broker::WillRecord;

class WillStoreTest : public DatabaseTest {
 protected:
  WillStoreTest()
      : queue_(
            {.url = url()}, [this](unsigned, std::uint64_t) { done_.change([](auto& count) { ++count; }); },
            log_.sink()) {}
  void commit(Persist batch) {
    batch.batch = ++last_batch_;
    queue_.submit(0, std::move(batch));
    ASSERT_TRUE(done_.wait([&](std::uint64_t count) { return count >= last_batch_; }));
  }
  static WillRecord make_will(std::int64_t id, std::uint32_t delay_s = 0, unsigned node = 0) {
    WillRecord will;
    will.id = MessageId{id};
    will.node = node;
    will.client_id.value = "c" + std::to_string(id);
    will.principal = {Principal::Kind::Device, "cam", "cam"};
    will.message = {.topic = "a/b", .payload = std::string("\0\xff", 2), .qos = broker::Qos::ExactlyOnce};
    will.message.retain = true;
    will.message.properties = "p";
    will.delay_s = delay_s;
    return will;
  }
  void store(std::vector<WillRecord> wills) {
    Persist batch;
    batch.wills = std::move(wills);
    commit(std::move(batch));
  }
  std::vector<WillRecord> load(unsigned node, broker::UtcTime now = utc_now()) {
    std::vector<WillRecord> loaded;
    load_wills(connection_, node, now, [&](WillRecord&& will) { loaded.push_back(std::move(will)); });
    return loaded;
  }
  static std::vector<std::int64_t> ids_of(const std::vector<WillRecord>& wills) {
    std::vector<std::int64_t> ids;
    for (const WillRecord& will : wills) ids.push_back(will.id.value);
    return ids;
  }

  pqxx::connection connection_{url()};
  LogBook log_;
  Watched<std::uint64_t> done_;
  std::uint64_t last_batch_ = 0;
  CommitQueue queue_;
};

TEST_F(WillStoreTest, ComesBackAsItWasKept) {
  WillRecord will = make_will(7, 4'294'967'295);
  will.message_expiry_s = 0;
  Persist batch;
  batch.wills = {will, make_will(8)};
  commit(batch);
  commit(batch);  // repeated: nothing changes
  const auto now = utc_now();
  const auto loaded = load(0, now);
  ASSERT_EQ(ids_of(loaded), (std::vector<std::int64_t>{7, 8}));
  const WillRecord& back = loaded[0];
  EXPECT_EQ(back.client_id.value, "c7");
  EXPECT_EQ(back.principal, will.principal);
  EXPECT_EQ(back.principal.name, "cam");
  EXPECT_EQ(back.message.topic, "a/b");
  EXPECT_EQ(back.message.payload, will.message.payload);
  EXPECT_EQ(back.message.qos, broker::Qos::ExactlyOnce);
  EXPECT_TRUE(back.message.retain);
  EXPECT_EQ(back.message.properties, "p");
  EXPECT_EQ(back.delay_s, 4'294'967'295);
  EXPECT_EQ(back.message_expiry_s, 0u);
  EXPECT_EQ(back.due_at, now + std::chrono::seconds(4'294'967'295));
  EXPECT_EQ(loaded[1].message_expiry_s, std::nullopt);
  EXPECT_EQ(loaded[1].due_at, broker::kNever);
}

TEST_F(WillStoreTest, TheDelayCountsFromTheFirstStartOrFromTheDisconnect) {
  const auto now = utc_now();
  store({make_will(1, 60), make_will(2, 60)});
  Persist batch;
  batch.wills_due = {{MessageId{2}, now + std::chrono::seconds(5)}};
  commit(std::move(batch));
  for (const auto start : {now, now + std::chrono::seconds(30)}) {
    const auto loaded = load(0, start);
    EXPECT_EQ(loaded.at(0).due_at, now + std::chrono::seconds(60));
    EXPECT_EQ(loaded.at(1).due_at, now + std::chrono::seconds(5));
  }
}

TEST_F(WillStoreTest, GoesWithTheBatchThatSaysSo) {
  Persist batch;
  batch.wills = {make_will(1), make_will(2)};
  batch.wills_gone = {MessageId{1}, MessageId{99}};
  batch.messages = {make_message(5)};
  commit(batch);
  EXPECT_EQ(ids_of(load(0)), std::vector<std::int64_t>{2});
  EXPECT_EQ(number("SELECT count(*) FROM messages"), 1);
}

TEST_F(WillStoreTest, OnlyADeadNodesWillsBecomeOurs) {
  const NodeLease living({url()}, {}, log_.sink());
  ASSERT_EQ(living.number(), 0);
  store({make_will(1, 0, 0), make_will(2, 0, 1), make_will(3, 9, 7)});
  EXPECT_EQ(ids_of(load(1)), (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(sql("SELECT string_agg(node::text, ',' ORDER BY id) FROM wills"), "0,1,1");
}

TEST_F(WillStoreTest, TellsWhichNumbersNobodyHoldsThoughWillsAreThere) {
  const NodeLease living({url()}, {}, log_.sink());
  store({make_will(1, 0, 0), make_will(2, 0, 3), make_will(3, 0, 3), make_will(4, 0, 31)});
  EXPECT_EQ(vacant_numbers(connection_), (std::vector<int>{3, 31}));
}

TEST_F(WillStoreTest, IsInheritedWhenDueByOneOfThoseThatLive) {
  store({make_will(1, 0, 7), make_will(2, 0, 8), make_will(3, 0, 7), make_will(4, 0, 7)});
  EXPECT_EQ(ids_of(inherit_wills(connection_, 7, 1, utc_now(), 2)), (std::vector<std::int64_t>{1, 3}));
  EXPECT_EQ(ids_of(inherit_wills(connection_, 7, 2, utc_now(), 2)), std::vector<std::int64_t>{4});
  EXPECT_TRUE(inherit_wills(connection_, 7, 1, utc_now(), 2).empty());
  EXPECT_EQ(sql("SELECT string_agg(node::text, ',' ORDER BY id) FROM wills"), "1,8,1,2");
}

TEST_F(WillStoreTest, IsNotInheritedFromANodeThatLivesAgain) {
  const NodeLease living({url()}, {}, log_.sink());
  store({make_will(1, 0, 0)});
  EXPECT_TRUE(inherit_wills(connection_, 0, 1, utc_now(), 10).empty());
  EXPECT_EQ(ids_of(load(0)), std::vector<std::int64_t>{1});
}

TEST_F(WillStoreTest, SeveralHeirsAndAStartAtOnceTakeEachWillOnce) {
  sql("INSERT INTO wills SELECT i, 0, 'c' || i, 'anonymous', '', 't', '', 0, false, '', 0, NULL, NULL"
      " FROM generate_series(1, 300) i");
  std::array<std::vector<std::int64_t>, 3> taken;
  // Number 0 is free, those of the heirs are held: what they took is a living node's.
  auto gone = std::make_unique<NodeLease>(NodeLease::Options{url()}, nullptr, log_.sink());
  const NodeLease first({url()}, {}, log_.sink());
  const NodeLease second({url()}, {}, log_.sink());
  const unsigned numbers[] = {static_cast<unsigned>(first.number()), static_cast<unsigned>(second.number())};
  gone.reset();
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (sql("SELECT 0 IN (SELECT living_nodes())") == "t") {
    ASSERT_LT(std::chrono::steady_clock::now(), until) << "PostgreSQL keeps the number of who is gone";
  }
  std::optional<NodeLease> again;  // outlives the heirs: its wills are not theirs
  {
    std::vector<std::jthread> heirs;
    for (unsigned heir = 0; heir < 2; ++heir) {
      heirs.emplace_back([&, heir] {
        pqxx::connection own(url());
        while (true) {
          const auto ids = ids_of(inherit_wills(own, 0, numbers[heir], utc_now(), 7));
          if (ids.empty()) return;
          taken[heir].insert(taken[heir].end(), ids.begin(), ids.end());
        }
      });
    }
    again.emplace(NodeLease::Options{url()}, nullptr, log_.sink());
    EXPECT_EQ(again->number(), 0);
    taken[2] = ids_of(load(0));
  }
  std::multiset<std::int64_t> all;
  for (const auto& ids : taken) all.insert(ids.begin(), ids.end());
  EXPECT_EQ(all.size(), 300u);
  EXPECT_EQ(std::set<std::int64_t>(all.begin(), all.end()).size(), 300u);
}

TEST_F(WillStoreTest, ADelayInheritedCountsFromTheFirstLookAndNoLongerThanTheSession) {
  sql("INSERT INTO sessions (client_id, principal_kind, principal_id, expiry_s, node) VALUES"
      " ('c1', 'anonymous', '', 60, 7), ('c2', 'anonymous', '', 5, 7)");
  store({make_will(1, 10, 7), make_will(2, 10, 7), make_will(3, 10, 7)});
  const auto now = utc_now();
  const auto taken_after = [&](int seconds) {
    return ids_of(inherit_wills(connection_, 7, 1, now + std::chrono::seconds(seconds), 10));
  };
  EXPECT_EQ(taken_after(0), std::vector<std::int64_t>{3}) << "its session ended with the connection";
  EXPECT_EQ(taken_after(4), std::vector<std::int64_t>{});
  EXPECT_EQ(taken_after(5), std::vector<std::int64_t>{2});
  EXPECT_EQ(taken_after(9), std::vector<std::int64_t>{});
  EXPECT_EQ(taken_after(10), std::vector<std::int64_t>{1});
}

TEST_F(WillStoreTest, ADelayThatRanAlreadyEndsWithTheSessionToo) {
  const auto now = utc_now();
  sql("INSERT INTO sessions (client_id, principal_kind, principal_id, expiry_s, ends_at, node) VALUES"
      " ('c1', 'anonymous', '', 60, now() + interval '5 seconds', 7)");
  store({make_will(1, 60, 7)});
  Persist left;
  left.wills_due = {{MessageId{1}, now + std::chrono::seconds(60)}};
  commit(std::move(left));
  EXPECT_TRUE(inherit_wills(connection_, 7, 1, now, 10).empty());
  EXPECT_EQ(ids_of(inherit_wills(connection_, 7, 1, now + std::chrono::seconds(10), 10)),
            std::vector<std::int64_t>{1});
}

TEST_F(WillStoreTest, OfAClientThatIsBackAtANodeThatLivesIsForgotten) {
  const NodeLease living({url()}, {}, log_.sink());
  sql("INSERT INTO sessions (client_id, principal_kind, principal_id, expiry_s, ends_at, node) VALUES"
      " ('c1', 'anonymous', '', 60, NULL, 0), ('c2', 'anonymous', '', 60, now() + interval '1 minute', 0)");
  store({make_will(1, 0, 7), make_will(2, 0, 7)});
  EXPECT_EQ(ids_of(inherit_wills(connection_, 7, 0, utc_now(), 10)), std::vector<std::int64_t>{2});
  EXPECT_EQ(number("SELECT count(*) FROM wills"), 1);
}

TEST_F(WillStoreTest, ReadsBeyondOnePage) {
  sql("INSERT INTO wills SELECT i, 0, 'c' || i, 'anonymous', '', 't', '', 0, false, '', 0, NULL, NULL"
      " FROM generate_series(1, 2500) i");
  EXPECT_EQ(load(0).size(), 2'500u);
}

}  // namespace
}  // namespace wake::db
