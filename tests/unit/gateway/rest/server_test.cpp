#include "rest_fixture.hpp"

namespace wake::gateway::rest {
namespace {

using RestHttp = RestTest;

TEST_F(RestHttp, ObservationNeedsNoCredentials) {
  EXPECT_EQ(send("GET", "/healthz").status, 200);
  EXPECT_EQ(send("GET", "/readyz").body["status"], "ready");
  port_.readiness_answer.parts = {{"postgresql", false, "refused"}};
  const Answer not_ready = send("GET", "/readyz");
  EXPECT_EQ(not_ready.status, 503);
  EXPECT_EQ(not_ready.body["parts"][0]["name"], "postgresql");
  const Answer metrics = send("GET", "/metrics");
  EXPECT_NE(metrics.raw.find("wakemq_fake 1"), std::string::npos);
  EXPECT_NE(metrics.raw.find("wakemq_http_requests_total"), std::string::npos);
  EXPECT_EQ(send("GET", "/openapi.json").body["openapi"], "3.1.0");
}

TEST_F(RestHttp, UnknownPathAndMethodAreTold) {
  EXPECT_EQ(send("GET", "/v1/nothing").status, 404);
  EXPECT_EQ(send("GET", "/v1/me/phones/").status, 404);
  const Answer wrong = send("PATCH", "/v1/me/phones");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("allow"), "get, head, options");
}

TEST_F(RestHttp, ConnectionIsKeptAndPipelinesInOrder) {
  Wire wire(http_port());
  wire.send(
      "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: one\r\n\r\nGET /readyz HTTP/1.1\r\nHost: "
      "x\r\nX-Request-Id: two\r\n\r\n");
  EXPECT_EQ(read_answer(wire).header("x-request-id"), "one");
  EXPECT_EQ(read_answer(wire).header("x-request-id"), "two");
  wire.send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(read_answer(wire).status, 200);
  EXPECT_TRUE(wire.is_closed_by_peer());
}

TEST_F(RestHttp, HeadHasNoBody) {
  Wire wire(http_port());
  wire.send("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(read_answer(wire, false).status, 200);
  EXPECT_EQ(read_answer(wire).body["status"], "ok");
}

TEST_F(RestHttp, OversizeAndMalformedAreRefused) {
  Wire long_header(http_port());
  long_header.send("GET /healthz HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n");
  EXPECT_EQ(read_answer(long_header).status, 431);
  Wire long_body(http_port());
  long_body.send(
      "POST /v1/users HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{");
  EXPECT_EQ(read_answer(long_body).status, 413);
  Wire no_http(http_port());
  no_http.send("\x16\x03\x01 what is this\r\n\r\n");
  EXPECT_EQ(read_answer(no_http).status, 400);
}

TEST_F(RestHttp, ExpectContinueIsAnswered) {
  Wire wire(http_port());
  wire.send(
      "POST /v1/users HTTP/1.1\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: "
      "2\r\n\r\n");
  EXPECT_EQ(wire.read_until("\r\n\r\n").substr(0, 12), "HTTP/1.1 100");
  wire.send("{}");
  EXPECT_EQ(read_answer(wire).status, 422);
}

TEST_F(RestHttp, BadCredentialsAreRefused) {
  for (const char* authorization :
       {"Bearer wat_x", "Bearer wk_x", "Bearer x", "Basic !", "Basic YTpi", "Digest x", "Bearer"}) {
    EXPECT_EQ(send("GET", "/v1/me/phones", authorization).status, 401) << authorization;
  }
}

TEST_F(RestHttp, StopEndsIdleConnections) {
  Wire idle(http_port());
  idle.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(read_answer(idle).status, 200);
  server_->stop();
  EXPECT_TRUE(idle.is_closed_by_peer());
}

class RestSlow : public RestTest {
 protected:
  RestSlow() : RestTest(options()) {}
  static RestOptions options() {
    RestOptions options;
    options.read_timeout = std::chrono::milliseconds(100);
    options.max_connections = 2;
    return options;
  }
};

TEST_F(RestSlow, SilentClientIsClosed) {
  Wire silent(http_port());
  silent.send("GET /healthz HT");
  EXPECT_TRUE(silent.is_closed_by_peer());
}

class RestCrowd : public RestTest {
 protected:
  RestCrowd() : RestTest(options()) {}
  static RestOptions options() {
    RestOptions options;
    options.max_connections = 1;
    return options;
  }
};

TEST_F(RestCrowd, OneTooManyIsTurnedAway) {
  Wire first(http_port());
  first.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(read_answer(first).status, 200);
  Wire second(http_port());
  EXPECT_EQ(read_answer(second).status, 503);
}

class RestWithOneWorker : public RestTest {
 protected:
  RestWithOneWorker() : RestTest(options()) {}
  static RestOptions options() {
    RestOptions options;
    options.worker_count = 1;
    return options;
  }
  /// Sent, not answered.
  std::unique_ptr<Wire> ask_test() {
    auto wire = std::make_unique<Wire>(http_port());
    wire->send("POST /v1/me/phones/p1/test HTTP/1.1\r\nHost: x\r\nAuthorization: " + ann_ + "\r\n\r\n");
    return wire;
  }
  void register_phone() {
    send("PUT", "/v1/me/phones/p1", ann_, {{"platform", "fcm"}, {"app_id", "app"}, {"token", "t"}});
    port_.is_provider_silent = true;
  }
  const std::string ann_ = add_user("ann");
};

// A provider that cannot be reached takes 20 s for its verdict; REST went on only for the others' patience.
TEST_F(RestWithOneWorker, TestsThatWaitForAProviderHoldUpNobody) {
  register_phone();
  std::vector<std::unique_ptr<Wire>> waiting;
  for (int i = 0; i < 20; ++i) waiting.push_back(ask_test());
  EXPECT_EQ(send("GET", "/v1/me/phones", ann_).status, 200) << "asked after them, answered before";
  EXPECT_EQ(port_.answer_tests({"retry", 0, "push.example:443: connect: refused", "check the network"}), 20U);
  for (const auto& wire : waiting) {
    const Answer answer = read_answer(*wire);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body["reason"], "push.example:443: connect: refused");
    EXPECT_EQ(answer.body["advice"], "check the network");
  }
}

TEST_F(RestWithOneWorker, AVerdictThatComesAfterTheEndGoesNowhere) {
  register_phone();
  const auto waiting = ask_test();
  EXPECT_EQ(send("GET", "/v1/me/phones", ann_).status, 200);
  server_.reset();
  EXPECT_TRUE(waiting->is_closed_by_peer());
  EXPECT_EQ(port_.answer_tests({"accepted", 200, "", ""}), 1U);
}

class RestWithoutDatabase : public RestTest {
 protected:
  RestWithoutDatabase()
      : away_({.url = "host=/nonexistent", .pool = 1}, std::chrono::milliseconds(50)), closed_(away_, {}) {
    RestOptions options;
    options.listeners.resize(1);
    options.listeners[0].protocol = config::Protocol::Http;
    options.listeners[0].address = "127.0.0.1:0";
    options.self_registration = true;
    server_ = std::make_unique<RestServer>(options, port_, closed_, away_,
                                           [](push::LogLevel, std::string_view, std::string_view) {});
    server_->start();
  }
  ~RestWithoutDatabase() override { server_.reset(); }
  db::Pool away_;
  Authenticator closed_;
};

TEST_F(RestWithoutDatabase, SaysWhenToComeBack) {
  const Answer answer = send("GET", "/v1/me/phones", "Bearer wat_x");
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.header("retry-after"), "");
  EXPECT_EQ(send("POST", "/v1/users", "", {{"username", "ann"}, {"password", "correct horse"}}).status, 503);
  EXPECT_EQ(send("GET", "/healthz").status, 200);
}

}  // namespace
}  // namespace wake::gateway::rest
