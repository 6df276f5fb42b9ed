// Wills through the commit queue's statements and back at a start.
#include "db/will_store.hpp"

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

TEST_F(WillStoreTest, ReadsBeyondOnePage) {
  sql("INSERT INTO wills SELECT i, 0, 'c' || i, 'anonymous', '', 't', '', 0, false, '', 0, NULL, NULL"
      " FROM generate_series(1, 2500) i");
  EXPECT_EQ(load(0).size(), 2'500u);
}

}  // namespace
}  // namespace wake::db
