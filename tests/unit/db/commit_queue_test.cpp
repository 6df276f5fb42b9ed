#include "db/commit_queue.hpp"

#include <map>

#include <pqxx/connection>
#include <pqxx/transaction>

#include "database_fixture.hpp"

namespace wake::db {
namespace {

using broker::ClientId;
using broker::EntryId;
using broker::MessageId;
using broker::Persist;
using broker::PhoneId;
using broker::Qos;
using broker::UserId;
using std::chrono::milliseconds;

class CommitQueueTest : public DatabaseTest {
 protected:
  void start(CommitQueueOptions options = {}) {
    if (options.url.empty()) options.url = url();
    options.min_backoff = milliseconds(10);
    options.max_backoff = milliseconds(50);
    options.failed = [this](unsigned, std::uint64_t batch, const std::string&) {
      failed_.change([&](auto& batches) { batches.push_back(batch); });
    };
    queue_ = std::make_unique<CommitQueue>(
        options,
        [this](unsigned, std::uint64_t batch) {
          done_.change([&](auto& batches) { batches.push_back(batch); });
        },
        log_.sink());
  }
  bool wait_done(std::size_t count) {
    return done_.wait([&](const auto& batches) { return batches.size() >= count; });
  }
  /// Submits as shard 0 with the next batch number.
  void submit(Persist batch) {
    batch.batch = ++last_batch_;
    queue_->submit(0, std::move(batch));
  }
  void commit(Persist batch) {
    submit(std::move(batch));
    ASSERT_TRUE(wait_done(last_batch_));
  }

  LogBook log_;
  Watched<std::vector<std::uint64_t>> done_;
  Watched<std::vector<std::uint64_t>> failed_;
  std::uint64_t last_batch_ = 0;
  std::unique_ptr<CommitQueue> queue_;
};

Persist message_for_ann(std::int64_t id) {
  Persist batch;
  batch.messages.push_back(make_message(id));
  batch.queue.push_back({ClientId{"c1"}, MessageId{id}, Qos::AtLeastOnce, false, 0});
  batch.inbox.push_back({UserId{1}, MessageId{id}, EntryId{1}});
  batch.outbox.push_back(
      {MessageId{id}, PhoneId{1}, EntryId{1}, utc_now(), utc_now() + std::chrono::hours(1), "offline"});
  return batch;
}

TEST_F(CommitQueueTest, StoresAMessageAndAllWhoAreOwedIt) {
  add_ann();
  CommitQueueOptions options;
  options.node = [] { return 7; };
  start(options);
  Persist batch = message_for_ann(5);
  batch.messages[0].payload = std::string("\0\xff\x01", 3);
  batch.messages[0].properties = std::string("\x26\0", 2);
  batch.sessions["c1"] = stored_session("c1");
  commit(std::move(batch));
  EXPECT_EQ(sql("SELECT payload::text || properties::text || topic || publisher FROM messages WHERE id = 5"),
            "\\x00ff01\\x2600a/bcam");
  EXPECT_EQ(
      number("SELECT count(*) FROM session_queue WHERE client_id = 'c1' AND message_id = 5 AND qos = 1"), 1);
  EXPECT_EQ(number("SELECT count(*) FROM inbox WHERE user_id = 1 AND message_id = 5 AND entry_id = 1"), 1);
  EXPECT_EQ(
      number("SELECT count(*) FROM outbox WHERE state = 'pending' AND claimed_by = 7 AND reason = 'offline'"
             " AND claimed_until BETWEEN now() + interval '50 s' AND now() + interval '61 s'"),
      1);
  EXPECT_EQ(sql("SELECT principal_kind || principal_id || expiry_s || (ends_at IS NULL) FROM sessions"),
            "user13600true");
}

TEST_F(CommitQueueTest, KeepsNeverAndTimesToTheMicrosecond) {
  start();
  Persist batch;
  batch.messages.push_back(make_message(1));
  batch.messages[0].at = broker::UtcTime(std::chrono::microseconds(1'795'176'543'210'123));
  batch.messages[0].expires_at = broker::kNever;
  commit(std::move(batch));
  EXPECT_EQ(number("SELECT (extract(epoch FROM at) * 1000000)::bigint FROM messages"), 1'795'176'543'210'123);
  EXPECT_EQ(sql("SELECT expires_at FROM messages"), "infinity");
}

TEST_F(CommitQueueTest, RepeatingABatchChangesNothing) {
  add_ann();
  start();
  Persist batch = message_for_ann(5);
  batch.sessions["c1"] = stored_session("c1");
  batch.sessions["c1"].purge = true;
  batch.sessions["c1"].subscriptions.push_back({false, {"a/#", Qos::AtLeastOnce}});
  batch.retained.push_back({false, make_message(5)});
  const auto state = [&] {
    return sql(
        "SELECT md5((SELECT array_agg(s)::text FROM sessions s) || (SELECT array_agg(s)::text FROM "
        "subscriptions s) ||"
        " (SELECT array_agg(m)::text FROM messages m) || (SELECT array_agg(q)::text FROM session_queue q) ||"
        " (SELECT array_agg(o)::text FROM outbox o) || (SELECT array_agg(r)::text FROM retained r))");
  };
  commit(batch);
  const std::string before = state();
  EXPECT_NE(before, "");
  commit(batch);
  EXPECT_EQ(state(), before);
}

TEST_F(CommitQueueTest, PurgeForgetsWhatWasThereBeforeTheNewSessionIsStored) {
  start();
  Persist first;
  first.sessions["c1"] = stored_session("c1");
  first.sessions["c1"].subscriptions.push_back({false, {"old", Qos::AtLeastOnce}});
  first.messages.push_back(make_message(1));
  first.queue.push_back({ClientId{"c1"}, MessageId{1}, Qos::AtLeastOnce, false, 0});
  Persist second;
  second.sessions["c1"] = stored_session("c1", 60);
  second.sessions["c1"].purge = true;
  second.sessions["c1"].subscriptions.push_back({false, {"new", Qos::ExactlyOnce}});
  second.messages.push_back(make_message(2));
  second.queue.push_back({ClientId{"c1"}, MessageId{2}, Qos::AtLeastOnce, false, 0});
  // Submitted together, so that they would share a transaction if they might.
  submit(first);
  submit(second);
  ASSERT_TRUE(wait_done(2));
  EXPECT_EQ(sql("SELECT string_agg(filter || qos, ',') FROM subscriptions"), "new2");
  EXPECT_EQ(sql("SELECT string_agg(message_id::text, ',') FROM session_queue"), "2");
  EXPECT_EQ(number("SELECT expiry_s FROM sessions"), 60);
}

TEST_F(CommitQueueTest, SubscriptionChangesApplyInOrder) {
  start();
  Persist batch;
  batch.sessions["c1"] = stored_session("c1");
  auto& changes = batch.sessions["c1"].subscriptions;
  changes.push_back({false, {"x", Qos::AtMostOnce}});
  changes.push_back({false, {"y", Qos::AtMostOnce}});
  changes.push_back({true, {"y", Qos::AtMostOnce}});
  changes.push_back({false, {"x", Qos::ExactlyOnce, true, true, 2, 268'435'455}});
  commit(std::move(batch));
  EXPECT_EQ(sql("SELECT string_agg(filter || qos || no_local || retain_as_published || retain_handling || "
                "subscription_id, ',')"
                " FROM subscriptions"),
            "x2truetrue2268435455");
}

TEST_F(CommitQueueTest, TakesAFilterAndATopicOf65535Bytes) {
  start();
  std::string longest;
  for (int i = 0; longest.size() < 65'535; ++i) longest += std::to_string(i * 7919 % 100'003) + "/";
  longest.resize(65'535);
  Persist batch;
  batch.sessions["c1"] = stored_session("c1");
  batch.sessions["c1"].subscriptions.push_back({false, {longest, Qos::AtLeastOnce}});
  batch.retained.push_back({false, make_message(1)});
  batch.retained[0].message.topic = longest;
  commit(std::move(batch));
  EXPECT_EQ(number("SELECT octet_length(filter) FROM subscriptions"), 65'535);
  EXPECT_EQ(number("SELECT octet_length(topic) FROM retained"), 65'535);
}

TEST_F(CommitQueueTest, SkipsReceiversThatAreGoneMeanwhile) {
  add_ann();
  start();
  Persist batch = message_for_ann(5);  // no session "c1" is stored
  batch.inbox.push_back({UserId{99}, MessageId{5}, EntryId{1}});
  batch.outbox.push_back(batch.outbox[0]);
  batch.outbox.back().phone_id = PhoneId{99};
  batch.outbox[0].entry_id = EntryId{99};
  commit(std::move(batch));
  EXPECT_TRUE(failed_.get().empty());
  EXPECT_EQ(number("SELECT count(*) FROM session_queue"), 0);
  EXPECT_EQ(number("SELECT count(*) FROM inbox"), 1);
  EXPECT_EQ(sql("SELECT string_agg(phone_id || coalesce(entry_id::text, '-'), ',') FROM outbox"), "1-");
}

TEST_F(CommitQueueTest, NoRowOutlivesASessionThatEndsMeanwhile) {
  add_ann();
  sql("INSERT INTO sessions VALUES ('c1', 'user', '1', 3600)");
  pqxx::connection other(url());
  pqxx::work ending(other);
  ending.exec("DELETE FROM sessions WHERE client_id = 'c1'");
  start();
  Persist batch = message_for_ann(5);
  batch.sessions["c2"] = stored_session("c2");
  batch.queue.push_back({ClientId{"c2"}, MessageId{5}, Qos::AtLeastOnce, false, 0});
  submit(std::move(batch));
  const std::string waiting =
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
      " AND datname = current_database()";
  for (int tries = 0; number(waiting) == 0 && tries < 20'000; ++tries) ASSERT_TRUE(done_.get().empty());
  ending.commit();
  ASSERT_TRUE(wait_done(1));
  EXPECT_EQ(sql("SELECT string_agg(client_id, ',') FROM session_queue"), "c2");
}

TEST_F(CommitQueueTest, AcknowledgedAndCancelledRowsGo) {
  add_ann();
  start();
  Persist batch = message_for_ann(5);
  batch.sessions["c1"] = stored_session("c1");
  commit(std::move(batch));
  Persist removal;
  removal.acknowledged.push_back({ClientId{"c1"}, MessageId{5}});
  removal.cancelled.push_back({MessageId{5}, PhoneId{1}, "acknowledged"});
  commit(std::move(removal));
  EXPECT_EQ(number("SELECT count(*) FROM session_queue"), 0);
  EXPECT_EQ(sql("SELECT state || reason FROM outbox WHERE resolved_at IS NOT NULL"), "cancelledacknowledged");
}

TEST_F(CommitQueueTest, RefusalsAreKeptForTheTraceOnceEach) {
  start();
  Persist batch;
  batch.refused.push_back({ClientId{"idle"}, MessageId{5}, "a/b", utc_now()});
  Persist again = batch;
  commit(std::move(batch));
  commit(std::move(again));
  EXPECT_EQ(sql("SELECT string_agg(client_id || message_id || topic, ',') FROM refusals"), "idle5a/b");
}

TEST_F(CommitQueueTest, CancellingWhatWasSentChangesNothing) {
  add_ann();
  start();
  commit(message_for_ann(5));
  sql("UPDATE outbox SET state = 'sent', resolved_at = now(), claimed_by = NULL, claimed_until = NULL");
  Persist removal;
  removal.cancelled.push_back({MessageId{5}, PhoneId{1}, "acknowledged"});
  commit(std::move(removal));
  EXPECT_EQ(sql("SELECT state FROM outbox"), "sent");
}

TEST_F(CommitQueueTest, TheNewerRetainedMessageWins) {
  start();
  const auto retained = [](std::int64_t id, bool clear) {
    Persist batch;
    batch.retained.push_back({clear, make_message(id, std::to_string(id))});
    return batch;
  };
  commit(retained(10, false));
  commit(retained(9, false));
  EXPECT_EQ(number("SELECT message_id FROM retained"), 10);
  commit(retained(8, true));
  EXPECT_EQ(number("SELECT message_id FROM retained"), 10);
  Persist both = retained(12, false);
  both.retained.push_back(retained(11, false).retained[0]);
  commit(std::move(both));
  EXPECT_EQ(sql("SELECT message_id || convert_from(payload, 'UTF8') FROM retained"), "1212");
  commit(retained(13, true));
  EXPECT_EQ(number("SELECT count(*) FROM retained"), 0);
}

TEST_F(CommitQueueTest, MessagesThatWaitShareATransaction) {
  start();
  commit({});
  std::string lock = "BEGIN; LOCK TABLE messages IN EXCLUSIVE MODE";
  const std::unique_ptr<PGconn, test::detail::CloseConnection> holder(PQconnectdb(url().c_str()));
  PQclear(PQexec(holder.get(), lock.c_str()));
  for (int i = 1; i <= 100; ++i) {
    Persist batch;
    batch.messages.push_back(make_message(i));
    submit(std::move(batch));
  }
  PQclear(PQexec(holder.get(), "COMMIT"));
  ASSERT_TRUE(wait_done(101));
  EXPECT_EQ(number("SELECT count(*) FROM messages"), 100);
  const CommitStatus status = queue_->status();
  EXPECT_LE(status.commits, 12u);  // the first took what was there, the rest follow together
  EXPECT_EQ(status.committed_messages, 100u);
  EXPECT_EQ(status.pending_batches, 0u);
  EXPECT_EQ(status.pending_bytes, 0u);
}

TEST_F(CommitQueueTest, SeveralShardsMayStoreTheSameMessage) {
  start();
  for (unsigned shard = 0; shard < 4; ++shard) {
    Persist batch;
    batch.batch = shard;
    batch.sessions["s" + std::to_string(shard)] = stored_session("s" + std::to_string(shard));
    batch.messages.push_back(make_message(1));
    batch.queue.push_back({ClientId{"s" + std::to_string(shard)}, MessageId{1}, Qos::AtLeastOnce, false, 0});
    queue_->submit(shard, std::move(batch));
  }
  ASSERT_TRUE(wait_done(4));
  EXPECT_EQ(number("SELECT count(*) FROM messages"), 1);
  EXPECT_EQ(number("SELECT count(*) FROM session_queue"), 4);
}

TEST_F(CommitQueueTest, APoisonedBatchIsDroppedAloneAndReported) {
  start();
  commit({});
  const std::unique_ptr<PGconn, test::detail::CloseConnection> holder(PQconnectdb(url().c_str()));
  PQclear(PQexec(holder.get(), "BEGIN; LOCK TABLE messages IN EXCLUSIVE MODE"));
  for (int i = 1; i <= 5; ++i) {
    Persist batch;
    batch.messages.push_back(make_message(i));
    if (i == 3)
      batch.messages[0].topic = "bad\xff";  // not UTF-8: cannot come from a client, PostgreSQL refuses it
    submit(std::move(batch));
  }
  PQclear(PQexec(holder.get(), "COMMIT"));
  ASSERT_TRUE(wait_done(5));
  EXPECT_EQ(done_.get(), (std::vector<std::uint64_t>{1, 2, 3, 5, 6}));
  EXPECT_EQ(failed_.get(), std::vector<std::uint64_t>{4});
  EXPECT_EQ(sql("SELECT string_agg(id::text, ',' ORDER BY id) FROM messages"), "1,2,4,5");
  EXPECT_EQ(log_.count("db.commit_refused"), 1);
  EXPECT_TRUE(queue_->status().is_connected);
}

TEST_F(CommitQueueTest, ALostConnectionRepeatsTheBatch) {
  start();
  commit({});
  const std::unique_ptr<PGconn, test::detail::CloseConnection> holder(PQconnectdb(url().c_str()));
  PQclear(PQexec(holder.get(), "BEGIN; LOCK TABLE messages IN EXCLUSIVE MODE"));
  Persist batch;
  batch.messages.push_back(make_message(1));
  submit(std::move(batch));
  // The transaction is under way once it waits for the lock; then its connection is killed.
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (number("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database()") == 0) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  }
  ASSERT_TRUE(log_.wait_for("db.commit_away"));
  EXPECT_EQ(done_.get().size(), 1u);
  PQclear(PQexec(holder.get(), "COMMIT"));
  ASSERT_TRUE(wait_done(2));
  EXPECT_EQ(number("SELECT count(*) FROM messages"), 1);
  EXPECT_EQ(log_.count("db.commit_away"), 1);
  EXPECT_EQ(log_.count("db.commit_back"), 1);
}

TEST_F(CommitQueueTest, NoticesALostConnectionWhileIdle) {
  start();
  commit({});
  end_other_connections();
  EXPECT_TRUE(log_.wait_for("db.commit_back"));
}

TEST_F(CommitQueueTest, WithoutADatabaseItWaitsAndSaysSoOnce) {
  CommitQueueOptions options;
  options.url = "host=/nonexistent dbname=x";
  start(options);
  Persist batch;
  batch.messages.push_back(make_message(1, std::string(20'000, 'x')));
  submit(std::move(batch));
  ASSERT_TRUE(log_.wait_for("db.commit_away"));
  EXPECT_GT(queue_->status().pending_bytes, 20'000u);
  EXPECT_FALSE(queue_->status().is_connected);
  EXPECT_NE(queue_->status().last_error, "");
  EXPECT_EQ(queue_->status().pending_batches, 1u);
  EXPECT_FALSE(queue_->stop(milliseconds(100)));
  EXPECT_EQ(log_.count("db.commit_away"), 1);
  EXPECT_TRUE(done_.get().empty());
}

TEST_F(CommitQueueTest, StopFlushesWhatWasSubmitted) {
  start();
  for (int i = 1; i <= 50; ++i) {
    Persist batch;
    batch.messages.push_back(make_message(i));
    submit(std::move(batch));
  }
  EXPECT_TRUE(queue_->stop(kPatience));
  EXPECT_EQ(done_.get().size(), 50u);
  EXPECT_EQ(number("SELECT count(*) FROM messages"), 50);
}

}  // namespace
}  // namespace wake::db
