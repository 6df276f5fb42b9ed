#include "gateway/rest/idempotency.hpp"

#include "rest_fixture.hpp"

namespace wake::gateway::rest {
namespace {

class Idempotency : public RestTest {
 protected:
  Answer publish(const std::string& key, const json& body, const std::string& who) {
    return send_with({{"Idempotency-Key", key}}, "POST", "/v1/publish", who, body);
  }
  Answer publish(const std::string& key, const json& body = {{"topic", "a"}, {"payload", "x"}}) {
    return publish(key, body, service_);
  }
  /// As a gateway leaves it that was killed before it could answer.
  void forget_answer(const std::string& key, int node = FakePort::kNode) {
    sql("UPDATE idempotency_keys SET status = NULL, body = NULL, node = " + std::to_string(node) +
        " WHERE key = '" + key + "'");
  }
  void store_message(const std::string& id) {
    sql("INSERT INTO messages (id, topic, payload, qos, retain, publisher, at, expires_at) VALUES (" + id +
        ", 'a', 'x', 1, false, '', now(), 'infinity')");
  }

  const std::string service_ = add_key({"publish", "admin"}, {"#"});
};

TEST_F(Idempotency, ARepetitionIsAnsweredAsTheFirstAndDoesNothing) {
  const Answer first = publish("k1");
  ASSERT_EQ(first.status, 200);
  EXPECT_EQ(first.header("idempotency-replayed"), "");
  const Answer second = publish("k1");
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.raw, first.raw);
  EXPECT_EQ(second.header("idempotency-replayed"), "true");
  EXPECT_EQ(port_.count("publish a x"), 1);
  EXPECT_NE(publish("k2").raw, first.raw) << "another key is another message";
  EXPECT_EQ(port_.count("publish a x"), 2);
}

TEST_F(Idempotency, AKeyBelongsToOneRequest) {
  publish("k1");
  const Answer other = publish("k1", {{"topic", "a"}, {"payload", "y"}});
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(other.body["type"], "urn:wakemq:problem:idempotency-key-reused");
  EXPECT_EQ(send_with({{"Idempotency-Key", "k1"}}, "POST", "/v1/devices", service_, {{"id", "CAM1"}}).status,
            422);
  EXPECT_FALSE(port_.was_asked("publish a y"));
}

TEST_F(Idempotency, AKeyIsItsPrincipalsOwn) {
  const Answer mine = publish("k1");
  const std::string other = add_key({"publish"}, {"#"});
  const Answer theirs = publish("k1", {{"topic", "a"}, {"payload", "x"}}, other);
  EXPECT_EQ(theirs.status, 200);
  EXPECT_NE(theirs.raw, mine.raw);
}

TEST_F(Idempotency, ARepetitionWhileTheFirstIsUnderWayWaitsItsTurn) {
  Answer meanwhile;
  port_.while_publishing = [&] {
    port_.while_publishing = {};
    meanwhile = publish("k1");
  };
  EXPECT_EQ(publish("k1").status, 200);
  EXPECT_EQ(meanwhile.status, 409);
  EXPECT_EQ(meanwhile.header("retry-after"), "1");
  EXPECT_EQ(port_.count("publish a x"), 1);
}

TEST_F(Idempotency, ARefusalFreesTheKey) {
  EXPECT_EQ(publish("k1", {{"topic", "a/#"}, {"payload", "x"}}).status, 422);
  EXPECT_EQ(publish("k1").status, 200);
  port_.publish_outcome = PublishOutcome::QuotaExceeded;
  EXPECT_EQ(publish("k2").status, 429);
  port_.publish_outcome = PublishOutcome::Settled;
  EXPECT_EQ(publish("k2").status, 200);
}

TEST_F(Idempotency, AfterAnUnknownOutcomeTheMessageKeepsItsId) {
  port_.publish_outcome = PublishOutcome::StorageAway;
  EXPECT_EQ(publish("k1").status, 503);
  const broker::MessageId id = port_.last_published.id;
  port_.publish_outcome = PublishOutcome::Settled;
  const Answer again = publish("k1");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body["message_id"], std::to_string(id.value));
  EXPECT_EQ(port_.last_published.id, id);
}

TEST_F(Idempotency, WhatWasPublishedBeforeAKillIsNotPublishedAgain) {
  const Answer first = publish("k1");
  store_message(first.body["message_id"].get<std::string>());
  forget_answer("k1");
  const Answer again = publish("k1");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.raw, first.raw);
  EXPECT_EQ(port_.count("publish a x"), 1);
}

TEST_F(Idempotency, WhatWasOnlyHalfPublishedBeforeAKillIsPublishedUnderItsId) {
  const Answer first = publish("k1");
  const std::string id = first.body["message_id"].get<std::string>();
  store_message(id);
  sql("INSERT INTO provisional_messages (message_id) VALUES (" + id + ")");
  forget_answer("k1");
  EXPECT_EQ(publish("k1").raw, first.raw);
  EXPECT_EQ(port_.count("publish a x"), 2);
}

TEST_F(Idempotency, ALivingNodesRequestIsLeftToIt) {
  const std::string first = publish("k1").raw;
  {
    // As db/node_lease.cpp holds a number: while its connection lives.
    const std::unique_ptr<PGconn, test::detail::CloseConnection> node(PQconnectdb(database_.url().c_str()));
    const std::unique_ptr<PGresult, test::detail::ClearResult> held(
        PQexec(node.get(), "SELECT pg_advisory_lock(2002873189, 9)"));
    ASSERT_EQ(PQresultStatus(held.get()), PGRES_TUPLES_OK) << PQerrorMessage(node.get());
    forget_answer("k1", 9);
    const Answer refused = publish("k1");
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(refused.header("retry-after"), "1");
    EXPECT_EQ(port_.count("publish a x"), 1);
  }
  EXPECT_EQ(publish("k1").raw, first) << "it died, and its request is anybody's";
}

/// Made, and killed before the answer could be kept afterwards: of what is made the answer is there already.
TEST_F(Idempotency, ACreationsAnswerIsStoredWithIt) {
  const std::string ann = add_user("ann");
  struct Creation {
    std::string path, who;
    json body;
    bool shows_secret = false;
  };
  const Creation creations[] = {
      {"/v1/users/ann/topics", service_, {{"filter", "news/#"}}},
      {"/v1/acl-rules", service_, {{"subject", "user"}, {"action", "subscribe"}, {"filter", "a"}}},
      {"/v1/devices", service_, {{"id", "CAM1"}}, true},
      {"/v1/devices/CAM1/secret", service_, nullptr, true},
      {"/v1/api-keys", service_, {{"name", "shop"}, {"scopes", {"publish"}}}, true}};
  // An answer that is not written in the creation's own transaction is lost.
  sql(R"(CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$
         DECLARE ours xid := pg_current_xact_id()::xid;
         BEGIN
           IF EXISTS (SELECT FROM topic_entries WHERE xmin = ours) OR EXISTS (SELECT FROM acl_rules WHERE xmin = ours)
             OR EXISTS (SELECT FROM devices WHERE xmin = ours) OR EXISTS (SELECT FROM api_keys WHERE xmin = ours)
           THEN RETURN NEW; END IF;
           RETURN NULL;
         END $$;
         CREATE TRIGGER lose BEFORE UPDATE OF status ON idempotency_keys FOR EACH ROW EXECUTE FUNCTION lose())");
  for (const Creation& creation : creations) {
    const auto ask = [&] {
      return send_with({{"Idempotency-Key", creation.path}}, "POST", creation.path, creation.who,
                       creation.body);
    };
    const Answer first = ask();
    ASSERT_LT(first.status, 300) << creation.path << first.raw;
    const Answer again = ask();
    EXPECT_EQ(again.status, creation.shows_secret ? 409 : first.status) << creation.path;
    if (!creation.shows_secret) {
      EXPECT_EQ(again.raw, first.raw);
    }
  }
}

TEST_F(Idempotency, AnAnswerWithASecretIsNotKept) {
  const auto add = [&](const std::string& key) {
    return send_with({{"Idempotency-Key", key}}, "POST", "/v1/devices", service_, {{"id", "CAM1"}});
  };
  const Answer first = add("k1");
  ASSERT_EQ(first.status, 201);
  const std::string secret = first.body["secret"].get<std::string>();
  const Answer again = add("k1");
  EXPECT_EQ(again.status, 409);
  EXPECT_NE(again.body["detail"].get<std::string>().find("secret"), std::string::npos);
  EXPECT_EQ(sql("SELECT count(*) FROM idempotency_keys k WHERE k::text LIKE '%" + secret + "%'"), "0");
  EXPECT_EQ(sql("SELECT count(*) FROM devices"), "1");
}

TEST_F(Idempotency, NothingIsKeptOfARequestThatHoldsAPassword) {
  const auto add = [&] {
    return send_with({{"Idempotency-Key", "k1"}}, "POST", "/v1/users", service_,
                     {{"username", "ann"}, {"password", "a long password"}});
  };
  EXPECT_EQ(add().status, 201);
  EXPECT_EQ(add().status, 409) << "the name makes it unique";
  EXPECT_EQ(sql("SELECT count(*) FROM idempotency_keys"), "0");
}

TEST_F(Idempotency, AKeyIsAWord) {
  for (const std::string& key : {std::string(256, 'k'), std::string("two words"), std::string("\xC3\xA9")}) {
    const Answer answer = publish(key);
    EXPECT_EQ(answer.status, 422) << key;
    EXPECT_EQ(answer.body["field"], "Idempotency-Key");
  }
  EXPECT_EQ(publish(std::string(255, 'k')).status, 200);
}

TEST_F(Idempotency, AnExpiredKeyIsNew) {
  const Answer first = publish("k1");
  sql("UPDATE idempotency_keys SET expires_at = now() - interval '1 second'");
  const Answer again = publish("k1", {{"topic", "a"}, {"payload", "y"}});
  EXPECT_EQ(again.status, 200);
  EXPECT_NE(again.raw, first.raw);
}

class FewKeys : public RestTest {
 protected:
  FewKeys() : RestTest(options()) {}
  static RestOptions options() {
    RestOptions few;
    few.max_idempotency_keys = 5;
    return few;
  }
};

TEST_F(FewKeys, APrincipalsOldestAreForgotten) {
  const std::string service = add_key({"publish"}, {"#"});
  for (int i = 0; i < 64; ++i) {
    const std::string key = "k" + std::to_string(i);
    send_with({{"Idempotency-Key", key}}, "POST", "/v1/publish", service, {{"topic", "a"}, {"payload", "x"}});
  }
  EXPECT_EQ(sql("SELECT count(*) FROM idempotency_keys"), "6")
      << "one claim in 64 trims to five, and is one more";
  EXPECT_EQ(sql("SELECT count(*) FROM idempotency_keys WHERE key IN ('k63', 'k62', 'k61', 'k60', 'k59')"),
            "5");
}

}  // namespace
}  // namespace wake::gateway::rest
