#include "rest_fixture.hpp"

namespace wake::gateway::rest {
namespace {

class Admin : public RestTest {
 protected:
  const std::string admin_ = add_key({"admin"});
  const std::string ann_ = add_user("ann");
};

TEST_F(Admin, DeviceIsMadeListedAndRemovedWithItsPairings) {
  const Answer made = send("POST", "/v1/devices", admin_, {{"id", "CAM1"}, {"name", "Porch"}});
  ASSERT_EQ(made.status, 201) << made.raw;
  const std::string basic = "Basic " + encode_base64("CAM1:" + made.body["secret"].get<std::string>());
  pair(ann_, basic);
  EXPECT_EQ(send("POST", "/v1/devices", admin_, {{"id", "CAM1"}}).status, 409);
  EXPECT_EQ(send("POST", "/v1/devices", admin_, {{"id", "a/b"}}).body["field"], "id");
  const Answer list = send("GET", "/v1/devices", admin_);
  EXPECT_EQ(list.body["items"][0]["id"], "CAM1");
  EXPECT_FALSE(list.body["items"][0].contains("secret"));
  EXPECT_EQ(send("DELETE", "/v1/devices/CAM1", admin_).status, 204);
  EXPECT_TRUE(port_.was_asked("end logins of CAM1"));
  EXPECT_EQ(port_.count("refresh 1"), 2);
  EXPECT_EQ(send("POST", "/v1/pairings/X/claim", basic, json::object()).status, 401);
}

TEST_F(Admin, KeysAreMadeListedAndRevoked) {
  const Answer made = send("POST", "/v1/api-keys", admin_,
                           {{"name", "shop"}, {"scopes", {"publish"}}, {"filters", {"a/\"b\\,{}/#"}}});
  ASSERT_EQ(made.status, 201) << made.raw;
  EXPECT_EQ(made.body["filters"][0], "a/\"b\\,{}/#");
  const std::string key = "Bearer " + made.body["key"].get<std::string>();
  EXPECT_EQ(send("POST", "/v1/publish", key, {{"topic", "a/\"b\\,{}/1"}, {"payload", "x"}}).status, 200);
  EXPECT_EQ(send("GET", "/v1/api-keys", admin_).body["items"].size(), 2U);
  EXPECT_EQ(send("DELETE", "/v1/api-keys/" + made.body["id"].get<std::string>(), admin_).status, 204);
  EXPECT_TRUE(port_.was_asked("end logins of " + made.body["id"].get<std::string>()));
  EXPECT_EQ(send("POST", "/v1/publish", key, {{"topic", "a"}, {"payload", "x"}}).status, 401);
  EXPECT_EQ(send("POST", "/v1/api-keys", admin_, {{"name", "x"}, {"scopes", {"root"}}}).body["field"],
            "scopes");
  EXPECT_EQ(
      send("POST", "/v1/api-keys", admin_, {{"name", "x"}, {"scopes", {"publish"}}, {"filters", {"a#"}}})
          .body["field"],
      "filters[0]");
}

TEST_F(Admin, CallsAreForAdministrators) {
  const std::string publisher = add_key({"publish"});
  for (const char* path : {"/v1/devices", "/v1/api-keys", "/v1/clients", "/v1/messages/1/trace"}) {
    EXPECT_EQ(send("GET", path).status, 401) << path;
    EXPECT_EQ(send("GET", path, ann_).status, 403) << path;
    EXPECT_EQ(send("GET", path, publisher).status, 403) << path;
  }
  EXPECT_EQ(send("GET", "/v1/me/phones", admin_).status, 403);
}

TEST_F(Admin, ClientsAreListedAndKicked) {
  port_.connected = {{"b", "user", "1", "127.0.0.1:5", "mqtts", 5, {}},
                     {"a", "device", "CAM1", "127.0.0.1:6", "mqtt", 4, {}}};
  const Answer page = send("GET", "/v1/clients?limit=1", admin_);
  EXPECT_EQ(page.body["items"][0]["client_id"], "a");
  EXPECT_EQ(page.body["next"], "a");
  EXPECT_EQ(send("GET", "/v1/clients?after=a", admin_).body["items"][0]["principal"]["kind"], "user");
  EXPECT_EQ(send("DELETE", "/v1/clients/b", admin_).status, 204);
  EXPECT_EQ(send("DELETE", "/v1/clients/nobody", admin_).status, 404);
}

TEST_F(Admin, TraceShowsEveryReceiver) {
  send("PUT", "/v1/me/phones/p1", ann_, {{"platform", "fcm"}, {"app_id", "app"}, {"token", "t"}});
  sql("INSERT INTO messages (id, topic, payload, qos, retain, at, expires_at) VALUES (5, 'a', 'x', 1, false, "
      "now(), 'infinity');"
      "INSERT INTO inbox (user_id, message_id, expires_at) VALUES (1, 5, '2099-01-01');"
      "INSERT INTO session_queue (client_id, message_id, qos) VALUES ('p1', 5, 1);"
      "INSERT INTO outbox (message_id, phone_id, state, reason, due_at, expires_at, attempt_count, "
      "resolved_at)"
      " VALUES (5, 1, 'sent', 'ok', now(), now(), 2, now())");
  const json receivers = send("GET", "/v1/messages/5/trace", admin_).body["receivers"];
  ASSERT_EQ(receivers.size(), 3U) << receivers;
  EXPECT_EQ(receivers[1]["state"], "sent");
  EXPECT_EQ(receivers[1]["attempt_count"], 2);
  EXPECT_EQ(send("GET", "/v1/messages/6/trace", admin_).status, 404);
}

TEST_F(Admin, TraceShowsWhoseQueueWasFullAlsoWhenNobodyTookTheMessage) {
  sql("INSERT INTO refusals VALUES (6, 'idle', 'a/b', now())");
  const Answer trace = send("GET", "/v1/messages/6/trace", admin_);
  EXPECT_EQ(trace.status, 200);
  EXPECT_EQ(trace.body["topic"], "a/b");
  ASSERT_EQ(trace.body["receivers"].size(), 1U);
  EXPECT_EQ(trace.body["receivers"][0]["id"], "idle");
  EXPECT_EQ(trace.body["receivers"][0]["state"], "refused");
  EXPECT_EQ(trace.body["receivers"][0]["reason"], "queue full");
}

}  // namespace
}  // namespace wake::gateway::rest
