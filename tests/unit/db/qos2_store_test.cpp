// What QoS 2 remembers through a restart: written by the commit queue's statements, read back at start.
#include <pqxx/connection>

#include "database_fixture.hpp"
#include "db/commit_queue.hpp"
#include "db/session_store.hpp"

namespace wake::db {
namespace {

using broker::ClientId;
using broker::MessageId;
using broker::PacketId;
using broker::Persist;
using broker::Qos;
using broker::SessionRecord;

class Qos2StoreTest : public DatabaseTest {
 protected:
  Qos2StoreTest()
      : queue_(
            {.url = url()}, [this](unsigned, std::uint64_t) { done_.change([](auto& count) { ++count; }); },
            log_.sink()) {
    Persist batch;
    batch.sessions["c1"] = stored_session("c1");
    batch.messages = {make_message(1), make_message(2)};
    for (const std::int64_t id : {1, 2})
      batch.queue.push_back({ClientId{"c1"}, MessageId{id}, Qos::ExactlyOnce, false, 0});
    commit(std::move(batch));
  }
  void commit(Persist batch) {
    batch.batch = ++last_batch_;
    queue_.submit(0, std::move(batch));
    ASSERT_TRUE(done_.wait([&](std::uint64_t count) { return count >= last_batch_; }));
  }
  SessionRecord load() {
    SessionRecord loaded;
    load_sessions(connection_, 0, utc_now(), [&](SessionRecord&& session) { loaded = std::move(session); });
    return loaded;
  }
  broker::QueuePage page() { return load_queue_page(connection_, ClientId{"c1"}, {}, 10); }

  pqxx::connection connection_{url()};
  LogBook log_;
  Watched<std::uint64_t> done_;
  std::uint64_t last_batch_ = 0;
  CommitQueue queue_;
};

TEST_F(Qos2StoreTest, AQueuedMessageKeepsItsPacketIdAndThatItWasReceived) {
  Persist batch;
  batch.started = {{ClientId{"c1"}, MessageId{1}, PacketId{65535}, false}};
  commit(batch);
  commit(batch);  // repeated: nothing changes
  EXPECT_EQ(load().started, std::vector{PacketId{65535}});
  EXPECT_EQ(page().messages.at(0).packet_id, PacketId{65535});
  EXPECT_FALSE(page().messages.at(0).is_received);
  EXPECT_EQ(page().messages.at(1).packet_id, PacketId{0});
  batch.started[0].is_received = true;
  commit(batch);
  EXPECT_TRUE(page().messages.at(0).is_received);
}

TEST_F(Qos2StoreTest, AReceiptLivesFromPubrecToPubrelAndNoLongerThanItsSession) {
  Persist batch;
  batch.receipts = {{ClientId{"c1"}, PacketId{7}, false}, {ClientId{"nobody"}, PacketId{8}, false}};
  commit(batch);
  commit(batch);
  EXPECT_EQ(load().receipts, std::vector{PacketId{7}});
  batch.receipts = {{ClientId{"c1"}, PacketId{7}, true}, {ClientId{"c1"}, PacketId{9}, false}};
  commit(batch);
  EXPECT_EQ(load().receipts, std::vector{PacketId{9}});
  Persist end;
  end.sessions["c1"].purge = true;
  commit(std::move(end));
  EXPECT_EQ(number("SELECT count(*) FROM qos2_receipts"), 0);
}

TEST_F(Qos2StoreTest, WhatNeverBecameFinalIsForgottenAtAStart) {
  Persist batch;
  batch.provisional = {MessageId{1}, MessageId{2}, MessageId{2}};
  commit(batch);
  Persist end;
  end.finalized = {MessageId{1}};
  commit(std::move(end));
  forget_provisional(connection_, 0);
  ASSERT_EQ(page().messages.size(), 1u);
  EXPECT_EQ(page().messages[0].message.id, MessageId{1});
  EXPECT_EQ(number("SELECT count(*) FROM messages"), 1);
}

}  // namespace
}  // namespace wake::db
