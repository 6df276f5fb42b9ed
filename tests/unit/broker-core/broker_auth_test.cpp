// Enhanced authentication (v5 §4.12). The shell of these tests knows one method, "ECHO": it asks twice, and
// lets in who answers "open" to its question.
#include <gmock/gmock.h>

#include "tests/support/simulated_world.hpp"

namespace wake::test {
namespace {

using testing::ElementsAre;

AuthOutcome echo(const Authenticate& question) {
  if (question.method != "ECHO") return {.kind = AuthOutcome::Kind::BadMethod, .principal = {}, .grants = {}};
  if (question.state.empty()) {
    return {.kind = AuthOutcome::Kind::Continue,
            .principal = {},
            .grants = {},
            .data = "and?",
            .state = "asked " + question.data};
  }
  const bool is_right = question.data == "open" && question.state.starts_with("asked ");
  AuthOutcome outcome{.kind = is_right ? AuthOutcome::Kind::Allowed : AuthOutcome::Kind::Refused,
                      .principal = {Principal::Kind::Device, question.state.substr(6), "x"},
                      .grants = {},
                      .data = "welcome"};
  outcome.grants.is_superuser = true;
  return outcome;
}

class EnhancedAuthentication : public testing::Test {
 protected:
  EnhancedAuthentication() { world.answers_method = echo; }
  Client& connect(const std::string& id, const char* method, const char* data) {
    Properties properties;
    properties.authentication_method = method;
    if (data) properties.authentication_data = as_bytes(data);
    return world.connect(id, {.version = Version::V5, .properties = properties});
  }
  void send_auth(Client& client, ReasonCode reason, const char* method, const char* data) {
    Auth auth{.reason = reason, .properties = {}};
    auth.properties.authentication_method = method;
    if (data) auth.properties.authentication_data = as_bytes(data);
    world.send(client, auth);
  }
  World world;
};

TEST_F(EnhancedAuthentication, GoesToAndFroBeforeConnack) {
  Client& app = connect("app", "ECHO", "d1");
  EXPECT_FALSE(app.connack);
  EXPECT_THAT(app.auths, ElementsAre(std::pair(ReasonCode::ContinueAuthentication, std::string("and?"))));
  send_auth(app, ReasonCode::ContinueAuthentication, "ECHO", "open");
  ASSERT_TRUE(app.connack);
  EXPECT_EQ(app.connack->reason, ReasonCode::Success);
  EXPECT_EQ(app.authentication_data, "welcome");
  EXPECT_EQ(world.shard(0).connections().at(0).principal.id, "d1");
}

TEST_F(EnhancedAuthentication, FailureIsAConnackOf0x87) {
  Client& app = connect("app", "ECHO", "d1");
  send_auth(app, ReasonCode::ContinueAuthentication, "ECHO", "wrong");
  ASSERT_TRUE(app.connack);
  EXPECT_EQ(app.connack->reason, ReasonCode::NotAuthorized);
  EXPECT_FALSE(app.is_connected);
}

TEST_F(EnhancedAuthentication, AnUnknownMethodIsAConnackOf0x8C) {
  Client& app = connect("app", "GS2-KRB5", nullptr);
  ASSERT_TRUE(app.connack);
  EXPECT_EQ(app.connack->reason, ReasonCode::BadAuthenticationMethod);
}

TEST_F(EnhancedAuthentication, AnotherMethodInBetweenIsAProtocolError) {
  Client& app = connect("app", "ECHO", "d1");
  send_auth(app, ReasonCode::ContinueAuthentication, "ECHO2", "open");
  ASSERT_TRUE(app.connack);
  EXPECT_EQ(app.connack->reason, ReasonCode::ProtocolError);
}

TEST_F(EnhancedAuthentication, AnythingButAuthBeforeConnackIsAProtocolError) {
  Client& app = connect("app", "ECHO", "d1");
  world.publish(app, "t", "x", Qos::AtMostOnce);
  ASSERT_TRUE(app.connack);
  EXPECT_EQ(app.connack->reason, ReasonCode::ProtocolError);
}

TEST_F(EnhancedAuthentication, SilenceEndsWithTheConnectTimeout) {
  Client& app = connect("app", "ECHO", "d1");
  world.advance(world.limits.connect_timeout + 1ms);
  EXPECT_FALSE(app.is_connected);
}

TEST_F(EnhancedAuthentication, AgainWhileConnectedKeepsTheSession) {
  Client& app = connect("app", "ECHO", "d1");
  send_auth(app, ReasonCode::ContinueAuthentication, "ECHO", "open");
  world.subscribe(app, "t", Qos::AtMostOnce);
  app.auths.clear();
  send_auth(app, ReasonCode::Reauthenticate, "ECHO", "d1");
  world.publish(app, "t", "meanwhile", Qos::AtMostOnce);
  send_auth(app, ReasonCode::ContinueAuthentication, "ECHO", "open");
  EXPECT_THAT(app.auths, ElementsAre(std::pair(ReasonCode::ContinueAuthentication, std::string("and?")),
                                     std::pair(ReasonCode::Success, std::string("welcome"))));
  EXPECT_THAT(app.payloads(), ElementsAre("meanwhile"));
  EXPECT_TRUE(app.is_connected);
}

TEST_F(EnhancedAuthentication, AgainAsSomebodyElseOrWronglyEndsTheConnection) {
  for (const char* name : {"d2", "d1"}) {
    Client& app = connect("app", "ECHO", "d1");
    send_auth(app, ReasonCode::ContinueAuthentication, "ECHO", "open");
    send_auth(app, ReasonCode::Reauthenticate, "ECHO", name);
    const bool is_other = std::string_view(name) == "d2";
    send_auth(app, ReasonCode::ContinueAuthentication, "ECHO", is_other ? "open" : "wrong");
    EXPECT_EQ(app.disconnect_reason, ReasonCode::NotAuthorized) << name;
  }
}

TEST_F(EnhancedAuthentication, AuthInTheWrongPhaseIsAProtocolError) {
  Client& app = connect("app", "ECHO", "d1");
  send_auth(app, ReasonCode::ContinueAuthentication, "ECHO", "open");
  send_auth(app, ReasonCode::ContinueAuthentication, "ECHO", "open");
  EXPECT_EQ(app.disconnect_reason, ReasonCode::ProtocolError);
  Client& other = connect("other", "ECHO", "d1");
  send_auth(other, ReasonCode::ContinueAuthentication, "ECHO", "open");
  send_auth(other, ReasonCode::Reauthenticate, "ELSE", "d1");
  EXPECT_EQ(other.disconnect_reason, ReasonCode::ProtocolError);
}

TEST_F(EnhancedAuthentication, AuthOfAClientThatNamedNoMethodIsAProtocolError) {
  Client& app = world.connect("app", {.version = Version::V5});
  send_auth(app, ReasonCode::Reauthenticate, "ECHO", "d1");
  EXPECT_EQ(app.disconnect_reason, ReasonCode::ProtocolError);
}

}  // namespace
}  // namespace wake::test
