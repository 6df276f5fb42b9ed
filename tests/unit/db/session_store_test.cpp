#include "db/session_store.hpp"

#include <map>
#include <thread>

#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include "database_fixture.hpp"
#include "db/sweep.hpp"

namespace wake::db {
namespace {

using broker::ClientId;
using broker::MessageId;
using broker::SessionRecord;

constexpr unsigned kNode = 3;

class SessionStoreTest : public DatabaseTest {
 protected:
  std::map<std::string, SessionRecord> load(broker::UtcTime now) {
    std::map<std::string, SessionRecord> loaded;
    load_sessions(connection_, kNode, now,
                  [&](SessionRecord&& session) { loaded[session.client_id.value] = std::move(session); });
    return loaded;
  }
  void add_queue(const std::string& ids, const std::string& payload = "'x'") const {
    sql("INSERT INTO sessions VALUES ('c1', 'user', '1', 3600) ON CONFLICT DO NOTHING");
    for (const std::string table : {"messages (id, topic, payload, qos, retain, at, expires_at)"}) {
      sql("INSERT INTO " + table + " SELECT id, 't/' || id, " + payload +
          "::bytea, 1, false, now(), 'infinity' FROM unnest(ARRAY[" + ids + "]::bigint[]) id");
    }
    sql("INSERT INTO session_queue SELECT 'c1', id, 1, true, 9 FROM unnest(ARRAY[" + ids + "]::bigint[]) id");
  }
  std::vector<std::int64_t> page_ids(const std::vector<MessageId>& except, std::size_t limit,
                                     std::size_t max_bytes = 1 << 20) {
    std::vector<std::int64_t> ids;
    const auto page = load_queue_page(connection_, ClientId{"c1"}, except, limit, max_bytes);
    for (const auto& queued : page.messages) ids.push_back(queued.message.id.value);
    is_last_ = page.is_last;
    return ids;
  }
  SweepResult sweep_at(broker::UtcTime now) {
    SweepCursor cursor;
    return sweep(connection_, now, 100, cursor);
  }

  pqxx::connection connection_{url()};
  bool is_last_ = false;
};

/// Holds a node's number as db/node_lease.cpp does.
class LivingNode {
 public:
  LivingNode(const std::string& url, int number) : connection_(url) {
    pqxx::nontransaction(connection_)
        .exec("SELECT pg_advisory_lock(2002873189, " + std::to_string(number) + ")");
  }

 private:
  pqxx::connection connection_;
};

TEST_F(SessionStoreTest, AStartLeavesTheClientsOfOtherLivingNodesConnected) {
  const LivingNode living(url(), 7);
  sql("INSERT INTO sessions (client_id, principal_kind, principal_id, expiry_s, node) VALUES"
      " ('ours', 'device', 'd', 60, 3), ('theirs', 'device', 'd', 60, 7), ('orphan', 'device', 'd', 60, 8),"
      " ('older', 'device', 'd', 60, NULL)");
  const auto loaded = load(utc_now());
  EXPECT_EQ(loaded.at("theirs").ends_at, broker::kNever);
  for (const char* gone : {"ours", "orphan", "older"})
    EXPECT_NE(loaded.at(gone).ends_at, broker::kNever) << gone;
}

TEST_F(SessionStoreTest, AStartForgetsNothingThatALivingNodeHasUnderWay) {
  const LivingNode living(url(), 7);
  for (const int node : {3, 7, 8}) {
    const std::string id = std::to_string((std::int64_t{1000} << 20) + (std::int64_t{node} << 15));
    sql("INSERT INTO messages (id, topic, payload, qos, retain, at, expires_at) VALUES (" + id +
        ", 't', 'x', 2, false, now(), 'infinity'); INSERT INTO provisional_messages VALUES (" + id + ")");
  }
  forget_provisional(connection_, kNode);
  EXPECT_EQ(number("SELECT count(*) FROM messages"), 1);
  EXPECT_EQ(number("SELECT (id >> 15) & 31 FROM messages"), 7);
}

TEST_F(SessionStoreTest, LoadsSessionsWithTheirSubscriptions) {
  add_ann();
  sql("INSERT INTO sessions VALUES ('c1', 'user', '1', 3600), ('dev', 'device', 'cam', 4294967295);"
      "INSERT INTO subscriptions VALUES ('c1', 'a/#', 1, true, true, 2, 7), ('c1', '$share/g/b', 2, false, "
      "false, 0, 0)");
  const auto now = utc_now();
  const auto loaded = load(now);
  ASSERT_EQ(loaded.size(), 2u);
  const auto& phone = loaded.at("c1");
  EXPECT_EQ(phone.principal, (broker::Principal{broker::Principal::Kind::User, "1", "ann"}));
  EXPECT_EQ(phone.principal.name, "ann");
  EXPECT_EQ(phone.subscriptions.size(), 2u);
  const auto& subscription = phone.subscriptions[phone.subscriptions[0].filter == "a/#" ? 0 : 1];
  EXPECT_EQ(subscription.subscription_id, 7u);
  EXPECT_TRUE(subscription.no_local && subscription.retain_as_published);
  EXPECT_EQ(subscription.retain_handling, 2);
  EXPECT_EQ(loaded.at("dev").principal.name, "cam");
}

TEST_F(SessionStoreTest, WhoWasConnectedIsAwayFromNow) {
  sql("INSERT INTO sessions VALUES ('was', 'user', '1', 60, NULL), ('forever', 'user', '1', 4294967295, "
      "NULL),"
      " ('gone', 'user', '1', 60, '2026-05-01T00:00:00Z')");
  const auto now = utc_now();
  const auto loaded = load(now);
  EXPECT_EQ(loaded.at("was").ends_at, now + std::chrono::seconds(60));
  EXPECT_EQ(loaded.at("forever").ends_at, broker::kNever);
  EXPECT_EQ(loaded.at("gone").ends_at,
            broker::UtcTime(std::chrono::sys_days(std::chrono::year(2026) / 5 / 1)));
  EXPECT_EQ(load(now + std::chrono::hours(1)).at("was").ends_at, now + std::chrono::seconds(60));
}

TEST_F(SessionStoreTest, ReadsBeyondOnePageOfSessions) {
  sql("INSERT INTO sessions SELECT 'c' || i, 'user', '1', 60 FROM generate_series(1, 12000) i;"
      "INSERT INTO subscriptions SELECT 'c' || i, 'f' || i, 1 FROM generate_series(1, 12000) i");
  const auto loaded = load(utc_now());
  EXPECT_EQ(loaded.size(), 12'000u);
  for (const auto& [client_id, session] : loaded) {
    ASSERT_EQ(session.subscriptions.size(), 1u);
    EXPECT_EQ(session.subscriptions[0].filter, "f" + client_id.substr(1));
  }
}

TEST_F(SessionStoreTest, LoadsRetainedMessagesThatHaveNotExpired) {
  sql("INSERT INTO retained (topic, message_id, payload, qos, at, expires_at)"
      " SELECT 't' || i, i, '\\x00ff', 1, now(), 'infinity' FROM generate_series(1, 1200) i;"
      "INSERT INTO retained (topic, message_id, payload, qos, at, expires_at) VALUES ('old', 9, '', 1, "
      "now(), now())");
  std::map<std::string, broker::MessageRecord> loaded;
  load_retained(connection_, utc_now() + std::chrono::seconds(1),
                [&](broker::MessageRecord&& message) { loaded[message.topic] = std::move(message); });
  EXPECT_EQ(loaded.size(), 1'200u);
  const auto& message = loaded.at("t7");
  EXPECT_EQ(message.payload, std::string("\0\xff", 2));
  EXPECT_EQ(message.id, MessageId{7});
  EXPECT_TRUE(message.retain);
  EXPECT_EQ(message.expires_at, broker::kNever);
}

TEST_F(SessionStoreTest, QueuePagesComeInOrderOfMessageId) {
  add_queue("30, 10, 50, 20, 40");
  EXPECT_EQ(page_ids({}, 3), (std::vector<std::int64_t>{10, 20, 30}));
  EXPECT_FALSE(is_last_);
  EXPECT_EQ(page_ids({{10}, {20}, {30}}, 3), (std::vector<std::int64_t>{40, 50}));
  EXPECT_TRUE(is_last_);
  EXPECT_TRUE(page_ids({{10}, {20}, {30}, {40}, {50}}, 3).empty());
  EXPECT_TRUE(is_last_);
  const auto queued = load_queue_page(connection_, ClientId{"c1"}, {}, 1).messages.at(0);
  EXPECT_EQ(queued.message.topic, "t/10");
  EXPECT_TRUE(queued.retain);
  EXPECT_FALSE(queued.message.retain);
  EXPECT_EQ(queued.subscription_id, 9u);
}

TEST_F(SessionStoreTest, AQueuePageStopsAtItsBytesButNeverBeforeTheFirstRow) {
  add_queue("1, 2, 3", "repeat('x', 1000)");
  EXPECT_EQ(page_ids({}, 10, 1), (std::vector<std::int64_t>{1}));
  EXPECT_EQ(page_ids({}, 10, 1'000), (std::vector<std::int64_t>{1}));
  EXPECT_EQ(page_ids({}, 10, 1'001), (std::vector<std::int64_t>{1, 2}));
  EXPECT_FALSE(is_last_);
}

TEST_F(SessionStoreTest, CountsQueues) {
  add_queue("1, 2, 3", "repeat('x', 1000)");
  std::vector<QueueCount> counts;
  load_queue_counts(connection_, [&](const QueueCount& count) { counts.push_back(count); });
  ASSERT_EQ(counts.size(), 1u);
  EXPECT_EQ(counts[0].client_id.value, "c1");
  EXPECT_EQ(counts[0].messages, 3u);
  EXPECT_EQ(counts[0].bytes, 3u * (1'000 + 3));
}

TEST_F(SessionStoreTest, SweepRemovesWhatEndedAndKeepsTheRest) {
  add_ann();
  sql("INSERT INTO sessions VALUES ('ended', 'user', '1', 60, now() - interval '10 min'),"
      " ('just', 'user', '1', 60, now() - interval '1 min'), ('on', 'user', '1', 60, NULL);"
      "INSERT INTO messages (id, topic, payload, qos, retain, at, expires_at) VALUES"
      " (1, 't', '', 1, false, now() - interval '1 h', now() - interval '1 s'),"
      " (2, 't', '', 1, false, now() - interval '1 h', 'infinity'), (3, 't', '', 1, false, now(), "
      "'infinity'),"
      " (4, 't', '', 1, false, now() - interval '1 h', 'infinity'), (5, 't', '', 1, false, now() - interval "
      "'1 h', 'infinity'),"
      " (6, 't', '', 1, false, now() - interval '2 d', 'infinity');"
      "INSERT INTO session_queue VALUES ('ended', 1, 1), ('on', 4, 1);"
      "INSERT INTO outbox (message_id, phone_id, state, due_at, expires_at, resolved_at) VALUES"
      " (5, 1, 'sent', now(), now(), now()), (6, 1, 'sent', now(), now(), now() - interval '25 h');"
      "INSERT INTO access_tokens VALUES (decode(repeat('00', 32), 'hex'), 1, now() - interval '1 s'),"
      " (decode(repeat('01', 32), 'hex'), 1, now() + interval '1 h');"
      "INSERT INTO refusals VALUES (1, 'c', 't', now() - interval '25 h'), (2, 'c', 't', now());"
      "INSERT INTO pairing_codes VALUES ('A', 1, now() - interval '1 s'), ('B', 1, now() + interval '1 "
      "min')");
  const SweepResult swept = sweep_at(utc_now());
  EXPECT_EQ(swept.sessions, 1u);
  EXPECT_EQ(swept.expired_messages, 1u);
  EXPECT_EQ(swept.unowed_messages, 2u);
  EXPECT_EQ(swept.refusals, 1u);
  EXPECT_EQ(swept.access_tokens, 1u);
  EXPECT_EQ(swept.pairing_codes, 1u);
  EXPECT_FALSE(swept.is_full);
  EXPECT_EQ(sql("SELECT string_agg(client_id, ',' ORDER BY client_id) FROM sessions"), "just,on");
  EXPECT_EQ(sql("SELECT string_agg(id::text, ',' ORDER BY id) FROM messages"), "3,4,5");
  EXPECT_EQ(number("SELECT count(*) FROM outbox"), 1);
}

TEST_F(SessionStoreTest, SweepGoesOnWhereTheLastSliceEnded) {
  sql("INSERT INTO messages (id, topic, payload, qos, retain, at, expires_at)"
      " SELECT i, 't', '', 1, false, now() - interval '1 h', 'infinity' FROM generate_series(1, 25) i;"
      "INSERT INTO sessions VALUES ('on', 'user', '1', 60);"
      "INSERT INTO session_queue SELECT 'on', i, 1 FROM generate_series(1, 10) i");
  SweepCursor cursor;
  std::uint64_t removed = 0;
  int slices = 0;
  bool is_full = true;
  for (; is_full && slices < 10; ++slices) {
    const auto result = sweep(connection_, utc_now(), 10, cursor);
    removed += result.unowed_messages;
    is_full = result.is_full;
  }
  EXPECT_EQ(removed, 15u);
  EXPECT_EQ(slices, 3);
  EXPECT_EQ(cursor.after, MessageId{0});
}

TEST_F(SessionStoreTest, AQueueGoesWithItsSessionAndItsRowsWithTheirMessages) {
  add_queue("1, 2, 3");
  sql("INSERT INTO sessions VALUES ('c2', 'user', '1', 3600), ('c3', 'user', '1', 3600);"
      "INSERT INTO session_queue SELECT c, id, 1 FROM unnest(ARRAY['c2', 'c3']) c, generate_series(1, 3) id");
  sql("DELETE FROM sessions WHERE client_id IN ('c1', 'c3')");
  EXPECT_EQ(sql("SELECT string_agg(client_id || message_id, ',' ORDER BY message_id) FROM session_queue"),
            "c21,c22,c23");
  sql("DELETE FROM messages WHERE id <> 2");
  EXPECT_EQ(sql("SELECT string_agg(client_id || message_id, ',') FROM session_queue"), "c22");
}

TEST_F(SessionStoreTest, WhoEndsASessionWaitsForItsRowsAndTakesThemAlong) {
  sql("INSERT INTO sessions VALUES ('c1', 'user', '1', 3600)");
  pqxx::connection writer(url());
  pqxx::work writing(writer);
  writing.exec("SELECT FROM sessions WHERE client_id = ANY ('{c1}') ORDER BY client_id FOR KEY SHARE");
  writing.exec("INSERT INTO session_queue VALUES ('c1', 1, 1)");
  std::jthread ending([this] { sql("DELETE FROM sessions"); });
  const std::string waiting =
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
      " AND datname = current_database()";
  int tries = 0;
  while (number(waiting) == 0 && tries < 20'000) ++tries;
  EXPECT_LT(tries, 20'000);
  writing.commit();
  ending.join();
  EXPECT_EQ(number("SELECT count(*) FROM session_queue"), 0);
}

TEST_F(SessionStoreTest, ARowWrittenAsItsMessageWentIsNobodysAndIsSwept) {
  add_queue("1, 2, 3");
  sql("INSERT INTO session_queue VALUES ('c1', 0, 1), ('c1', 5, 1)");
  EXPECT_EQ(page_ids({}, 2), (std::vector<std::int64_t>{1, 2}));
  EXPECT_FALSE(is_last_);
  EXPECT_EQ(page_ids({}, 4), (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_TRUE(is_last_);
  SweepCursor cursor;
  std::uint64_t removed = 0;
  for (int slice = 0; slice < 3; ++slice) removed += sweep(connection_, utc_now(), 2, cursor).left_over_rows;
  EXPECT_EQ(removed, 2u);
  EXPECT_EQ(cursor.queue.client_id, "");  // begins anew
  EXPECT_EQ(number("SELECT count(*) FROM session_queue"), 3);
}

TEST_F(SessionStoreTest, SweepSkipsWhatAnotherNodeHasLocked) {
  sql("INSERT INTO sessions VALUES ('a', 'user', '1', 60, now() - interval '1 h'), ('b', 'user', '1', 60, "
      "now() - interval '1 h')");
  const std::unique_ptr<PGconn, test::detail::CloseConnection> other(PQconnectdb(url().c_str()));
  PQclear(PQexec(other.get(), "BEGIN; SELECT * FROM sessions WHERE client_id = 'a' FOR UPDATE"));
  EXPECT_EQ(sweep_at(utc_now()).sessions, 1u);
  EXPECT_EQ(sql("SELECT client_id FROM sessions"), "a");
}

}  // namespace
}  // namespace wake::db
