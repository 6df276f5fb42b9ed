#include "rest_fixture.hpp"

namespace wake::gateway::rest {
namespace {

using Users = RestTest;

TEST_F(Users, RegistersLogsInAndIsAUser) {
  const Answer made = send("POST", "/v1/users", "", {{"username", "ann"}, {"password", "correct horse"}});
  ASSERT_EQ(made.status, 201) << made.raw;
  EXPECT_EQ(made.body["username"], "ann");
  EXPECT_TRUE(made.body["id"].is_string());
  const Answer token =
      send("POST", "/v1/auth/token", "", {{"username", "ann"}, {"password", "correct horse"}});
  ASSERT_EQ(token.status, 200) << token.raw;
  EXPECT_EQ(token.body["token_type"], "Bearer");
  EXPECT_EQ(token.body["expires_in"], 3600);
  const std::string bearer = "Bearer " + token.body["access_token"].get<std::string>();
  EXPECT_EQ(send("GET", "/v1/me/phones", bearer).status, 200);
  EXPECT_EQ(sql("SELECT count(*) FROM users WHERE password_hash LIKE '$argon2id$v=19$m=19456,t=2,p=1$%'"),
            "1");
}

TEST_F(Users, NameIsTakenOnce) {
  add_user("ann");
  const Answer again = send("POST", "/v1/users", "", {{"username", "ann"}, {"password", "correct horse"}});
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.body["field"], "username");
}

TEST_F(Users, NameIsNoDevicesAndTheOtherWayRound) {
  const std::string admin = add_key({"admin"});
  ASSERT_EQ(send("POST", "/v1/devices", admin, {{"id", "CAM1"}}).status, 201);
  EXPECT_EQ(send("POST", "/v1/users", "", {{"username", "CAM1"}, {"password", "correct horse"}}).status, 409);
  add_user("ann");
  EXPECT_EQ(send("POST", "/v1/devices", admin, {{"id", "ann"}}).status, 409);
  EXPECT_EQ(send("POST", "/v1/devices", admin, {{"id", "api-key"}}).body["field"], "id");
}

TEST_F(Users, WrongPasswordAndUnknownNameLookAlike) {
  send("POST", "/v1/users", "", {{"username", "ann"}, {"password", "correct horse"}});
  Answer wrong = send("POST", "/v1/auth/token", "", {{"username", "ann"}, {"password", "wrong horse"}});
  Answer unknown = send("POST", "/v1/auth/token", "", {{"username", "bob"}, {"password", "wrong horse"}});
  EXPECT_EQ(wrong.status, 401);
  for (Answer* answer : {&wrong, &unknown}) answer->body.erase("instance");  // of each request its own
  EXPECT_EQ(wrong.body, unknown.body);
  EXPECT_NE(wrong.header("www-authenticate"), "");
}

TEST_F(Users, TokenDoesNotRenewItself) {
  const std::string bearer = add_user("ann");
  EXPECT_EQ(send("POST", "/v1/auth/token", "", {{"username", "ann"}, {"password", bearer.substr(7)}}).status,
            401);
}

TEST_F(Users, ExpiredTokenOpensNothing) {
  const std::string bearer = add_user("ann");
  sql("UPDATE access_tokens SET expires_at = now()");
  EXPECT_EQ(send("GET", "/v1/me/phones", bearer).status, 401);
}

TEST_F(Users, BadInputNamesTheField) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"username":"ann"})", "password"},
      {R"({"username":"ann","password":"short"})", "password"},
      {R"({"username":7,"password":"correct horse"})", "username"},
      {R"({"username":"a/b","password":"correct horse"})", "username"},
      {R"({"username":"a+","password":"correct horse"})", "username"},
      {R"({"username":"a\u0000b","password":"correct horse"})", "username"},
      {R"({"username":"api-key","password":"correct horse"})", "username"},
      {R"({"username":"ann","password":"correct horse","admin":true})", "admin"},
      {R"(["ann"])", "body"},
  };
  for (const auto& [body, field] : cases) {
    const Answer answer = send("POST", "/v1/users", "", body);
    EXPECT_EQ(answer.status, 422) << body;
    EXPECT_EQ(answer.body["field"], field) << body;
    EXPECT_EQ(answer.header("content-type"), "application/problem+json");
  }
}

TEST_F(Users, WhatIsNotJsonIsRefused) {
  EXPECT_EQ(send("POST", "/v1/users", "", std::string("{\"username\"")).status, 400);
  EXPECT_EQ(send("POST", "/v1/users", "", std::string("{\"username\":\"a\",\"username\":\"b\"}")).status,
            400);
  EXPECT_EQ(send("POST", "/v1/users", "", std::string("{\"username\":\"\xff\"}")).status, 400);
  EXPECT_EQ(send("POST", "/v1/users", "", std::string(100, '[')).status, 400);
  EXPECT_EQ(send("POST", "/v1/users", "", std::string("a=b"), "application/x-www-form-urlencoded").status,
            415);
}

TEST_F(Users, ManyWrongPasswordsAreSlowedButTheTokenStillWorks) {
  const std::string bearer = add_user("ann");
  int status = 0;
  for (int i = 0; i < 30 && status != 429; ++i) {
    status = send("POST", "/v1/auth/token", "", {{"username", "ann"}, {"password", "wrong horse"}}).status;
  }
  EXPECT_EQ(status, 429);
  EXPECT_EQ(send("GET", "/v1/me/phones", bearer).status, 200);
}

}  // namespace
}  // namespace wake::gateway::rest
