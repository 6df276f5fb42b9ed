// Log-ins: made with a password, kept by refresh tokens, ended by revocation, reuse and a change of password.
#include "rest_fixture.hpp"

namespace wake::gateway::rest {
namespace {

constexpr const char* kPassword = "correct horse";

class Auth : public RestTest {
 protected:
  Auth() { db::add_user(pool_, "ann", hash_password(Secret(kPassword))); }

  Answer log_in(const std::string& password = kPassword) {
    return send("POST", "/v1/auth/token", "", {{"username", "ann"}, {"password", password}});
  }
  Answer refresh(const std::string& token) {
    return send("POST", "/v1/auth/refresh", "", {{"refresh_token", token}});
  }
  Answer revoke(const std::string& token) { return send("POST", "/v1/auth/revoke", "", {{"token", token}}); }
  Answer change(const std::string& bearer, const std::string& current, const std::string& fresh) {
    return send("PUT", "/v1/me/password", bearer, {{"current_password", current}, {"new_password", fresh}});
  }
  int status_of(const Answer& tokens) { return send("GET", "/v1/me/phones", bearer_of(tokens)).status; }
  static std::string bearer_of(const Answer& tokens) {
    return "Bearer " + tokens.body["access_token"].get<std::string>();
  }
  static std::string refresh_of(const Answer& tokens) {
    return tokens.body["refresh_token"].get<std::string>();
  }
};

TEST_F(Auth, ARefreshTokenMakesFreshTokens) {
  const Answer first = log_in();
  ASSERT_EQ(first.status, 200) << first.raw;
  EXPECT_EQ(first.header("cache-control"), "no-store");
  const Answer second = refresh(refresh_of(first));
  ASSERT_EQ(second.status, 200) << second.raw;
  EXPECT_NE(refresh_of(second), refresh_of(first));
  EXPECT_EQ(status_of(first), 200) << "what is under way with it goes on";
  EXPECT_EQ(status_of(second), 200);
  EXPECT_EQ(refresh(refresh_of(second)).status, 200);
  EXPECT_EQ(sql("SELECT count(*) FROM logins"), "1");
}

TEST_F(Auth, ALostAnswerToARefreshMayBeAskedForAgain) {
  const Answer first = log_in();
  ASSERT_EQ(refresh(refresh_of(first)).status, 200);
  const Answer again = refresh(refresh_of(first));
  ASSERT_EQ(again.status, 200);
  EXPECT_EQ(refresh(refresh_of(again)).status, 200);
}

TEST_F(Auth, AReusedRefreshTokenEndsTheLogIn) {
  const Answer first = log_in();
  const Answer other = log_in();
  const Answer second = refresh(refresh_of(first));
  sql("UPDATE logins SET rotated_at = rotated_at - interval '61 s'");
  EXPECT_EQ(refresh(refresh_of(first)).status, 401);
  EXPECT_EQ(refresh(refresh_of(second)).status, 401) << "whoever has it: both lose it";
  EXPECT_EQ(status_of(second), 401);
  EXPECT_TRUE(port_.was_asked("revoke log-in 1"));
  EXPECT_EQ(status_of(other), 200);
}

TEST_F(Auth, OneOfBeforeTheLastIsReusedAtOnce) {
  const Answer first = log_in();
  const Answer second = refresh(refresh_of(first));
  ASSERT_EQ(refresh(refresh_of(second)).status, 200);
  EXPECT_EQ(refresh(refresh_of(first)).status, 401);
  EXPECT_EQ(sql("SELECT count(*) FROM logins"), "0");
}

TEST_F(Auth, WhatIsNoRefreshTokenOrExpiredIsRefused) {
  const Answer first = log_in();
  for (const std::string& token :
       std::vector<std::string>{"x", "wrt_", bearer_of(first).substr(7), refresh_of(first) + "x",
                                "wrt_" + std::string(43, 'A') + "." + std::string(43, 'A')}) {
    EXPECT_EQ(refresh(token).status, 401) << token;
  }
  sql("UPDATE logins SET expires_at = now()");
  EXPECT_EQ(refresh(refresh_of(first)).status, 401);
}

TEST_F(Auth, EitherTokenRevokesTheLogInAndNoOther) {
  const Answer other = log_in();
  for (const bool by_refresh : {true, false}) {
    const Answer tokens = log_in();
    const std::string id = sql("SELECT max(id) FROM logins");
    EXPECT_EQ(revoke(by_refresh ? refresh_of(tokens) : tokens.body["access_token"].get<std::string>()).status,
              204);
    EXPECT_EQ(status_of(tokens), 401);
    EXPECT_EQ(refresh(refresh_of(tokens)).status, 401);
    EXPECT_TRUE(port_.was_asked("revoke log-in " + id));
  }
  EXPECT_EQ(revoke("nobody's").status, 204) << "and tells nothing";
  EXPECT_EQ(status_of(other), 200);
}

TEST_F(Auth, AnAccountHasSoManyLogInsAndALogInSoManyTokens) {
  sql("INSERT INTO logins (user_id, family_hash, current_hash, rotated_at, expires_at)"
      " SELECT 1, sha256(('f' || n)::bytea), sha256(('c' || n)::bytea), now(), now() + interval '1 h'"
      " FROM generate_series(1, 100) n");
  const Answer tokens = log_in();
  EXPECT_EQ(sql("SELECT count(*) FROM logins"), std::to_string(db::kMaxLogins));
  std::string token = refresh_of(tokens);
  for (int i = 0; i < 2 * db::kMaxTokensOfLogin; ++i) token = refresh_of(refresh(token));
  EXPECT_EQ(sql("SELECT count(*) FROM access_tokens"), std::to_string(db::kMaxTokensOfLogin));
}

TEST_F(Auth, AChangedPasswordEndsAllButTheLogInThatChangedIt) {
  const Answer mine = log_in();
  const Answer other = log_in();
  EXPECT_EQ(change(bearer_of(mine), "wrong horse", "another horse").body["field"], "current_password");
  EXPECT_EQ(change(bearer_of(mine), kPassword, "short").body["field"], "new_password");
  EXPECT_EQ(status_of(other), 200);
  ASSERT_EQ(change(bearer_of(mine), kPassword, "another horse").status, 204);
  EXPECT_EQ(status_of(other), 401);
  EXPECT_EQ(refresh(refresh_of(other)).status, 401);
  EXPECT_EQ(status_of(mine), 200);
  EXPECT_EQ(refresh(refresh_of(mine)).status, 200);
  EXPECT_TRUE(port_.was_asked("end logins of 1"));
  EXPECT_EQ(log_in().status, 401);
  EXPECT_EQ(log_in("another horse").status, 200);
}

TEST_F(Auth, ATokenIsNoCurrentPassword) {
  const Answer mine = log_in();
  const std::string token = mine.body["access_token"];
  EXPECT_EQ(change(bearer_of(mine), token, "another horse").body["field"], "current_password");
  int status = 0;
  for (int i = 0; i < 30 && status != 429; ++i)
    status = change(bearer_of(mine), "wrong horse", "another horse").status;
  EXPECT_EQ(status, 429) << "guessing is slowed here, too";
}

TEST_F(Auth, AnAccountWithoutAPasswordIsToldSo) {
  const std::string bearer = add_user("bob");
  sql("UPDATE users SET password_hash = '' WHERE username = 'bob'");
  EXPECT_EQ(change(bearer, "anything", "another horse").status, 409);
  EXPECT_EQ(send("POST", "/v1/auth/token", "", {{"username", "bob"}, {"password", ""}}).status, 422);
  EXPECT_EQ(send("POST", "/v1/auth/token", "", {{"username", "bob"}, {"password", "x"}}).status, 401);
}

TEST_F(Auth, AnAdminSeesAndRemovesAccounts) {
  const std::string admin = add_key({"admin"});
  const Answer mine = log_in();
  const Answer page = send("GET", "/v1/users", admin);
  ASSERT_EQ(page.status, 200) << page.raw;
  EXPECT_EQ(page.body["items"][0]["username"], "ann");
  EXPECT_EQ(page.body["items"][0]["has_password"], true);
  EXPECT_FALSE(page.raw.find("argon2") != std::string::npos);
  EXPECT_EQ(send("GET", "/v1/users", bearer_of(mine)).status, 403);
  EXPECT_EQ(send("DELETE", "/v1/users/1", bearer_of(mine)).status, 403);
  EXPECT_EQ(send("DELETE", "/v1/users/1", admin).status, 204);
  EXPECT_EQ(send("DELETE", "/v1/users/1", admin).status, 404);
  EXPECT_EQ(send("DELETE", "/v1/users/ann", admin).status, 404);
  EXPECT_EQ(status_of(mine), 401);
  EXPECT_TRUE(port_.was_asked("end logins of 1"));
  EXPECT_TRUE(port_.was_asked("refresh 1"));
}

TEST_F(Auth, ADevicesSecretIsReplaced) {
  const std::string admin = add_key({"admin"});
  const std::string before = add_device("CAM1");
  const Answer rotated = send("POST", "/v1/devices/CAM1/secret", admin);
  ASSERT_EQ(rotated.status, 200) << rotated.raw;
  EXPECT_EQ(rotated.header("cache-control"), "no-store");
  const std::string after = "Basic " + encode_base64("CAM1:" + rotated.body["secret"].get<std::string>());
  EXPECT_EQ(send("POST", "/v1/pairings/x/claim", before, json::object()).status, 401);
  EXPECT_EQ(send("POST", "/v1/pairings/x/claim", after, json::object()).status, 404);
  EXPECT_TRUE(port_.was_asked("end logins of CAM1"));
  EXPECT_EQ(send("POST", "/v1/devices/CAM2/secret", admin).status, 404);
  EXPECT_EQ(send("POST", "/v1/devices/CAM1/secret", after).status, 403);
  EXPECT_EQ(sql("SELECT scram <> '' FROM devices"), "t");
}

TEST_F(Auth, RulesAreAddedListedAndRemoved) {
  const std::string admin = add_key({"admin"});
  const json wanted = {{"subject", "user"}, {"name", "ann"}, {"action", "publish"}, {"filter", "home/%u/#"}};
  const Answer added = send("POST", "/v1/acl-rules", admin, wanted);
  ASSERT_EQ(added.status, 201) << added.raw;
  EXPECT_EQ(added.body["source"], "operator");
  const Answer page = send("GET", "/v1/acl-rules", admin);
  EXPECT_EQ(page.body["items"][0]["filter"], "home/%u/#");
  EXPECT_EQ(send("GET", "/v1/acl-rules", bearer_of(log_in())).status, 403);
  for (const char* field : {"subject", "action", "filter"}) {
    json bad = wanted;
    bad[field] = "a/#/b";
    EXPECT_EQ(send("POST", "/v1/acl-rules", admin, bad).body["field"], field);
  }
  const std::string id = added.body["id"];
  EXPECT_EQ(send("DELETE", "/v1/acl-rules/" + id, admin).status, 204);
  EXPECT_EQ(send("DELETE", "/v1/acl-rules/" + id, admin).status, 404);
}

}  // namespace
}  // namespace wake::gateway::rest
