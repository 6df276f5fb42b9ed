#include "gateway/rest/cors.hpp"

#include "rest_fixture.hpp"

namespace wake::gateway::rest {
namespace {

class Cors : public RestTest {
 protected:
  Cors() : RestTest(options()) {}
  static RestOptions options() {
    RestOptions named;
    named.listeners.resize(1);
    named.listeners[0].allowed_origins = {"https://app.example.com", "http://localhost:3000"};
    return named;
  }
  Answer preflight(const std::string& origin, const std::string& path) {
    return send_with({{"Origin", origin},
                      {"Access-Control-Request-Method", "PATCH"},
                      {"Access-Control-Request-Headers", "authorization, if-match"}},
                     "OPTIONS", path, "");
  }
};

TEST_F(Cors, APreflightNamesMethodsAndFields) {
  const Answer answer = preflight("https://app.example.com", "/v1/me/topics/7");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.header("access-control-allow-origin"), "https://app.example.com");
  EXPECT_EQ(answer.header("access-control-allow-credentials"), "true");
  EXPECT_EQ(answer.header("access-control-allow-methods"), "get, head, patch, delete, options");
  EXPECT_NE(answer.header("access-control-allow-headers").find("authorization"), std::string::npos);
  EXPECT_NE(answer.header("access-control-allow-headers").find("if-match"), std::string::npos);
  EXPECT_NE(answer.header("access-control-allow-headers").find("idempotency-key"), std::string::npos);
  EXPECT_EQ(answer.header("access-control-max-age"), "600");
  EXPECT_EQ(answer.header("vary"), "origin");
}

TEST_F(Cors, AnAnswerMayBeReadWithItsFields) {
  const Answer answer =
      send_with({{"Origin", "http://localhost:3000"}}, "GET", "/v1/me/phones", add_user("ann"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("access-control-allow-origin"), "http://localhost:3000");
  EXPECT_NE(answer.header("access-control-expose-headers").find("etag"), std::string::npos);
  EXPECT_NE(answer.header("access-control-expose-headers").find("x-request-id"), std::string::npos);
}

TEST_F(Cors, AProblemMayBeReadToo) {
  const Answer answer = send_with({{"Origin", "https://app.example.com"}}, "GET", "/v1/me/phones", "");
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.header("access-control-allow-origin"), "https://app.example.com");
}

TEST_F(Cors, AnotherOriginIsToldNothing) {
  for (const char* origin : {"https://evil.example.com", "https://app.example.com.evil.com", "null",
                             "http://app.example.com", "https://app.example.com:8443"}) {
    for (const Answer& answer :
         {preflight(origin, "/v1/me/phones"), send_with({{"Origin", origin}}, "GET", "/healthz", "")}) {
      EXPECT_EQ(answer.head.find("access-control-"), std::string::npos) << origin;
      EXPECT_EQ(answer.header("vary"), "origin") << origin;
    }
  }
}

TEST_F(Cors, APreflightOfNoPathAllowsNothing) {
  const Answer answer = preflight("https://app.example.com", "/v1/no/such/path");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.header("access-control-allow-methods"), "");
}

class NoCors : public RestTest {};

TEST_F(NoCors, AListenerWithoutOriginsAllowsNone) {
  const Answer answer = send_with({{"Origin", "https://app.example.com"}}, "GET", "/healthz", "");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.head.find("access-control-"), std::string::npos);
}

TEST_F(NoCors, OptionsTellsTheMethodsOfAPathToAnybody) {
  const Answer answer = send("OPTIONS", "/v1/me/topics");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.header("allow"), "get, head, post, options");
  EXPECT_EQ(send("OPTIONS", "*").status, 204);
  const Answer refused = send("PUT", "/v1/me/topics");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.header("allow"), "get, head, post, options");
}

}  // namespace
}  // namespace wake::gateway::rest
