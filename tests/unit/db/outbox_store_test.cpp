#include "db/outbox_store.hpp"

#include <set>
#include <thread>

#include <pqxx/connection>

#include "database_fixture.hpp"
#include "db/account_inbox.hpp"
#include "db/node_lease.hpp"
#include "db/outbox_claims.hpp"
#include "db/pool.hpp"

namespace wake::db {
namespace {

using broker::MessageId;
using broker::PhoneId;
using push::Resolution;
using std::chrono::milliseconds;
using std::chrono::seconds;

class OutboxTest : public DatabaseTest {
 protected:
  OutboxTest() {
    add_ann();
    sql("INSERT INTO phones (user_id, phone_id, client_id, platform, app_id) VALUES (1, 'p2', 'c2', 'apns', "
        "'app')");
  }
  /// Pending notifications for phone 1, due at once, messages 1..count.
  void add_pending(int count, const std::string& claim = "NULL, NULL") const {
    const std::string n = std::to_string(count);
    sql("INSERT INTO messages (id, topic, payload, qos, retain, at, expires_at)"
        " SELECT i, 'a/b', 'hi', 1, false, now(), now() + interval '1 d' FROM generate_series(1, " +
        n +
        ") i;"
        "INSERT INTO outbox (message_id, phone_id, entry_id, due_at, expires_at, claimed_by, claimed_until)"
        " SELECT i, 1, 1, now() - interval '1 s' * (100 - i % 100), now() + interval '1 h', " +
        claim + " FROM generate_series(1, " + n + ") i");
  }
  void start(int node = 0) {
    OutboxStoreOptions options;
    options.url = url();
    options.node = [node] { return node; };
    options.token_removed = [this](const TokenRemoved& removed) {
      removed_.change([&](auto& all) { all.push_back(removed); });
    };
    options.min_backoff = milliseconds(5);
    options.max_backoff = milliseconds(20);
    store_ = std::make_unique<OutboxStore>(options, log_.sink());
  }
  static Resolution outcome(std::int64_t message, Resolution::Kind kind, std::string reason = "") {
    Resolution resolution;
    resolution.key = {MessageId{message}, PhoneId{1}};
    resolution.kind = kind;
    resolution.reason = std::move(reason);
    resolution.attempt_count = 1;
    resolution.at = utc_now();
    resolution.due_at = utc_now() + seconds(100);
    return resolution;
  }
  static Resolution dead_token(const std::string& token, broker::UtcTime registered_until) {
    Resolution resolution = outcome(1, Resolution::Kind::Failed, "Unregistered");
    resolution.token_removal.emplace();
    resolution.token_removal->token.platform = broker::Platform::Fcm;
    resolution.token_removal->token.app_id = "app";
    resolution.token_removal->token.token = token;
    resolution.token_removal->registered_until = registered_until;
    return resolution;
  }
  void resolve(std::vector<Resolution> resolutions) {
    store_->resolve(std::move(resolutions));
    ASSERT_TRUE(store_->stop(kPatience));
  }
  std::vector<push::Notification> claim_as(int node, int limit = 100) {
    pqxx::connection connection(url());
    return claim(connection, node, utc_now(), limit);
  }

  LogBook log_;
  Watched<std::vector<TokenRemoved>> removed_;
  std::unique_ptr<OutboxStore> store_;
};

TEST_F(OutboxTest, OutcomesBecomeDurable) {
  add_pending(6, "0, now() + interval '1 min'");
  start();
  auto sent = outcome(1, Resolution::Kind::Sent, "200");
  sent.provider_id = "apns-1";
  resolve({sent, outcome(2, Resolution::Kind::Failed, "BadTopic"), outcome(3, Resolution::Kind::Expired),
           outcome(4, Resolution::Kind::Cancelled), outcome(5, Resolution::Kind::RetryAt, "503"),
           outcome(6, Resolution::Kind::Released)});
  EXPECT_EQ(sql("SELECT string_agg(state::text, ',' ORDER BY message_id) FROM outbox"),
            "sent,failed,expired,cancelled,pending,pending");
  EXPECT_EQ(sql("SELECT provider_id || reason || attempt_count || (claimed_by IS NULL) FROM outbox WHERE "
                "message_id = 1"),
            "apns-12001true");
  EXPECT_EQ(number("SELECT count(*) FROM outbox WHERE message_id = 5 AND claimed_by = 0 AND reason = '503'"
                   " AND claimed_until = due_at + interval '60 s' AND due_at > now() + interval '90 s'"),
            1);
  EXPECT_EQ(
      number("SELECT count(*) FROM outbox WHERE message_id = 6 AND claimed_by IS NULL AND due_at > now()"),
      1);
  EXPECT_EQ(store_->status().resolved, 6u);
}

TEST_F(OutboxTest, TheLastOutcomeOfANotificationCounts) {
  add_pending(1);
  start();
  resolve({outcome(1, Resolution::Kind::RetryAt), outcome(1, Resolution::Kind::Sent)});
  EXPECT_EQ(sql("SELECT state FROM outbox"), "sent");
}

TEST_F(OutboxTest, WhatWasSentWhileItWasCancelledWasSent) {
  add_pending(2);
  sql("UPDATE outbox SET state = 'cancelled', resolved_at = now()");
  start();
  resolve({outcome(1, Resolution::Kind::Sent), outcome(2, Resolution::Kind::Failed)});
  EXPECT_EQ(sql("SELECT string_agg(state::text, ',' ORDER BY message_id) FROM outbox"), "sent,cancelled");
}

TEST_F(OutboxTest, OutcomesSurviveALostConnection) {
  add_pending(1);
  start();
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!store_->status().is_connected) ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  end_other_connections();
  resolve({outcome(1, Resolution::Kind::Sent)});
  EXPECT_EQ(sql("SELECT state FROM outbox"), "sent");
}

TEST_F(OutboxTest, ADeadTokenIsRemovedAndTheUsersPhonesTold) {
  add_pending(2);
  start();
  resolve({dead_token("tok", utc_now())});
  EXPECT_EQ(number("SELECT count(*) FROM phones WHERE id = 1 AND token IS NULL"), 1);
  ASSERT_EQ(removed_.get().size(), 1u);
  const TokenRemoved told = removed_.get()[0];
  EXPECT_EQ(told.phone_id, PhoneId{1});
  EXPECT_EQ(told.name, "p1");
  EXPECT_EQ(told.user_id, broker::UserId{1});
  EXPECT_EQ(told.client_ids, (std::vector<broker::ClientId>{{"c1"}, {"c2"}}));
  EXPECT_EQ(sql("SELECT string_agg(state || ' ' || reason, ',' ORDER BY message_id) FROM outbox"),
            "failed Unregistered,failed the phone's token was removed");
}

TEST_F(OutboxTest, ANewerTokenIsNotRemoved) {
  add_pending(2);
  start();
  resolve({dead_token("an older token", utc_now())});
  EXPECT_EQ(sql("SELECT token FROM phones WHERE id = 1"), "tok");
  EXPECT_TRUE(removed_.get().empty());
  EXPECT_EQ(sql("SELECT state FROM outbox WHERE message_id = 2"), "pending");
}

TEST_F(OutboxTest, ATokenRegisteredAgainLaterIsNotRemoved) {
  add_pending(1);
  const broker::UtcTime registered = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
  start();
  resolve({dead_token("tok", registered - std::chrono::microseconds(1))});
  EXPECT_EQ(sql("SELECT token FROM phones WHERE id = 1"), "tok");
  start();
  resolve({dead_token("tok", registered)});
  EXPECT_EQ(number("SELECT count(*) FROM phones WHERE id = 1 AND token IS NULL"), 1);
}

TEST_F(OutboxTest, AProvenEnvironmentIsKept) {
  add_pending(1);
  start();
  auto proven = outcome(1, Resolution::Kind::Sent);
  proven.proven_environment = broker::Environment::Sandbox;
  resolve({proven});
  EXPECT_EQ(sql("SELECT environment || environment_proven FROM phones WHERE id = 1"), "sandboxtrue");
}

TEST_F(OutboxTest, AClaimedNotificationIsComplete) {
  add_pending(1);
  sql("INSERT INTO devices (id, name, secret_hash) VALUES ('cam', 'Camera', decode(repeat('00', 32), 'hex'));"
      "INSERT INTO pairings (user_id, device_id) VALUES (1, 'cam');"
      "UPDATE topic_entries SET device_id = 'cam', push = '{\"style\":\"silent\"}'; UPDATE outbox SET "
      "attempt_count = 3");
  const auto claimed = claim_as(4);
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed[0].key, (push::NotificationKey{MessageId{1}, PhoneId{1}}));
  EXPECT_EQ(claimed[0].message->payload, "hi");
  EXPECT_EQ(claimed[0].message->topic, "a/b");
  EXPECT_EQ(claimed[0].entry->device_name, "Camera");
  EXPECT_EQ(claimed[0].entry->push.style, broker::PushStyle::Silent);
  EXPECT_EQ(claimed[0].token.token, "tok");
  EXPECT_EQ(claimed[0].attempt_count, 3);
  EXPECT_EQ(
      number("SELECT count(*) FROM outbox WHERE claimed_by = 4 AND claimed_until > now() + interval '50 s'"),
      1);
}

TEST_F(OutboxTest, WhatIsDueAtOneTimeComesInTheOrderOfItsMessages) {
  add_pending(6);
  sql("UPDATE outbox SET due_at = '2026-01-01'");
  for (int message = 6; message > 0; --message) {  // where the rows lie says nothing
    sql("UPDATE outbox SET reason = 'moved' WHERE message_id = " + std::to_string(message));
  }
  std::vector<std::int64_t> order;
  for (int page = 0; page < 3; ++page) {
    for (const push::Notification& one : claim_as(0, 2)) order.push_back(one.key.message_id.value);
  }
  EXPECT_EQ(order, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}));
}

TEST_F(OutboxTest, PhonesShareOneMessageAndAGoneEntryIsNull) {
  add_pending(1);
  sql("UPDATE phones SET token = 'tok2' WHERE id = 2;"
      "INSERT INTO outbox (message_id, phone_id, due_at, expires_at) VALUES (1, 2, now() - interval '1 min', "
      "'infinity')");
  const auto claimed = claim_as(0);
  ASSERT_EQ(claimed.size(), 2u);
  EXPECT_EQ(claimed[0].message, claimed[1].message);
  EXPECT_EQ(claimed[0].message->payload, "hi");
  EXPECT_NE((claimed[0].entry == nullptr), (claimed[1].entry == nullptr));
}

TEST_F(OutboxTest, TwoNodesNeverClaimTheSame) {
  const NodeLease zero({url()}, {}, log_.sink());
  const NodeLease one({url()}, {}, log_.sink());
  add_pending(500);
  std::vector<push::Notification> by[2];
  {
    const auto drain = [&](int node) {
      for (auto page = claim_as(node, 20); !page.empty(); page = claim_as(node, 20)) {
        by[node].insert(by[node].end(), page.begin(), page.end());
      }
    };
    const std::jthread first(drain, 0), second(drain, 1);
  }
  std::set<push::NotificationKey> distinct;
  for (const auto& claimed : by) {
    for (const auto& notification : claimed) distinct.insert(notification.key);
  }
  EXPECT_EQ(distinct.size(), 500u);
  EXPECT_EQ(by[0].size() + by[1].size(), 500u);
}

TEST_F(OutboxTest, ALivingNodesClaimIsRespectedUntilItsLeaseIsOver) {
  const NodeLease zero({url()}, {}, log_.sink());
  add_pending(1, "0, now() + interval '1 min'");
  EXPECT_TRUE(claim_as(1).empty());
  sql("UPDATE outbox SET claimed_until = now() - interval '1 s'");
  EXPECT_EQ(claim_as(1).size(), 1u);
}

TEST_F(OutboxTest, ADeadNodesClaimIsTakenOverAtOnce) {
  auto zero = std::make_unique<NodeLease>(NodeLease::Options{url()}, nullptr, log_.sink());
  const NodeLease one({url()}, {}, log_.sink());
  add_pending(1, "0, now() + interval '1 min'");
  EXPECT_TRUE(claim_as(1).empty());
  zero.reset();
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (claim_as(1).empty()) ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  EXPECT_EQ(number("SELECT claimed_by FROM outbox"), 1);
}

TEST_F(OutboxTest, ARestartedNodeReleasesItsFormerClaims) {
  const NodeLease zero({url()}, {}, log_.sink());
  add_pending(1, "0, now() + interval '1 min'");
  EXPECT_TRUE(claim_as(0).empty());
  pqxx::connection connection(url());
  release_claims(connection, 0);
  EXPECT_EQ(claim_as(0).size(), 1u);
}

TEST_F(OutboxTest, NotBeforeItIsDueAndOldestFirst) {
  add_pending(3);
  sql("UPDATE outbox SET due_at = now() + interval '1 min' WHERE message_id = 2;"
      "UPDATE outbox SET due_at = now() - interval '1 h' WHERE message_id = 3");
  EXPECT_EQ(claim_as(0, 1).at(0).key.message_id, MessageId{3});
  EXPECT_EQ(claim_as(0).size(), 1u);
}

TEST_F(OutboxTest, APhoneWithoutATokenFailsItsNotifications) {
  add_pending(1);
  sql("UPDATE phones SET token = NULL");
  EXPECT_TRUE(claim_as(0).empty());
  EXPECT_EQ(sql("SELECT state || ' ' || reason FROM outbox WHERE claimed_by IS NULL"),
            "failed the phone has no token");
}

TEST_F(OutboxTest, ANotificationIsTracedFromPendingToSent) {
  add_pending(1);
  Pool pool({url(), 1});
  const auto traced = [&] { return load_trace(pool, MessageId{1}).value().rows.at(0); };
  EXPECT_EQ(traced().state, "pending");
  EXPECT_EQ(traced().resolved_at, std::nullopt);
  start();
  resolve({outcome(1, Resolution::Kind::Sent, "200")});
  const TraceRow sent = traced();
  EXPECT_EQ(sent.receiver, "push");
  EXPECT_EQ(sent.id, "p1");
  EXPECT_EQ(sent.state, "sent");
  EXPECT_EQ(sent.attempt_count, 1);
  EXPECT_NE(sent.resolved_at, std::nullopt);
}

}  // namespace
}  // namespace wake::db
