// The real clients against the simulators over TLS and HTTP/2: every row of both verdict tables, and the ways
// a connection can go wrong. WAKE_BIN_DIR says where the simulators are.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "push/apns/verdict.hpp"
#include "push/dispatcher.hpp"
#include "push/fcm/verdict.hpp"
#include "tests/support/memory_outbox.hpp"
#include "tests/support/simulator.hpp"

namespace wake::push {
namespace {

using broker::Environment;
using broker::Platform;
using nlohmann::json;
using tests::MemoryOutbox;
using tests::Simulator;
using Kind = Resolution::Kind;
using Clock = std::chrono::steady_clock;

const std::string kToken(64, 'a');

// Both simulators, once for the whole program.
struct World {
  World() {
    char name[] = "/tmp/wake-push-XXXXXX";
    folder = mkdtemp(name);
    apns = std::make_unique<Simulator>("apns_sim", folder);
    sandbox =
        std::make_unique<Simulator>("apns_sim", folder, std::vector<std::string>{"--environment", "sandbox"});
    fcm = std::make_unique<Simulator>("fcm_sim", folder);
  }
  ~World() { std::filesystem::remove_all(folder); }
  std::string folder;
  std::unique_ptr<Simulator> apns, sandbox, fcm;
};

class PushEndToEnd : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!world_) world_ = std::make_unique<World>();
  }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override {
    for (Simulator* simulator : {world_->apns.get(), world_->sandbox.get(), world_->fcm.get()}) {
      simulator->post("/reset");
      simulator->post("/settings", {{"token_change_s", 0}});
    }
  }

  static AppOptions apns_app(const Simulator& simulator, Environment environment = Environment::Production) {
    AppOptions app;
    app.id = app.topic = "com.example.cam";
    app.environment = environment;
    app.key_file = simulator.text("key_file");
    app.key_id = simulator.text("key_id");
    app.team_id = simulator.text("team_id");
    app.endpoint = simulator.text("endpoint");
    app.ca_file = simulator.text("ca_file");
    return app;
  }
  static AppOptions fcm_app() {
    AppOptions app;
    app.id = "com.example.cam";
    app.platform = Platform::Fcm;
    app.service_account_file = world_->fcm->text("service_account_file");
    app.endpoint = world_->fcm->text("endpoint");
    app.ca_file = world_->fcm->text("ca_file");
    return app;
  }
  static std::vector<AppOptions> all_apps() { return {apns_app(*world_->apns), fcm_app()}; }

  Notification notification(Platform platform, std::int64_t phone = 7) {
    const auto now = EventLoop::now().utc;
    auto message = std::make_shared<broker::MessageRecord>();
    message->id.value = ++last_message_;
    message->topic = "cam/1/motion";
    message->payload = R"({"zone":"前门"})";
    message->at = now;
    message->expires_at = now + std::chrono::hours{1};
    Notification result;
    result.key = {message->id, {phone}};
    result.expires_at = message->expires_at;
    result.message = std::move(message);
    result.token.platform = platform;
    result.token.app_id = "com.example.cam";
    result.token.token = kToken;
    result.token.environment_proven = true;
    return result;
  }

  std::unique_ptr<Dispatcher> dispatcher(std::vector<AppOptions> apps) {
    return std::make_unique<Dispatcher>(std::move(apps), DispatcherOptions{}, outbox_,
                                        [](LogLevel, std::string_view, std::string_view) {});
  }
  // Polls the status, which is a thread's answer to a question, until `test` holds.
  static bool eventually(Dispatcher& dispatcher, const std::function<bool(const DispatcherStatus&)>& test) {
    const auto deadline = Clock::now() + std::chrono::seconds{20};
    while (Clock::now() < deadline) {
      if (test(dispatcher.status())) return true;
      std::this_thread::yield();
    }
    return false;
  }
  static std::uint64_t answer_count(const DispatcherStatus& status, Verdict verdict,
                                    const std::string& reason) {
    std::uint64_t count = 0;
    for (const ChannelStatus& channel : status.channels) {
      const auto it = channel.answers.find({verdict, reason});
      if (it != channel.answers.end()) count += it->second;
    }
    return count;
  }
  static json phone(const Simulator& simulator, const std::string& query = "") {
    return json::parse(simulator.get("/phones/" + kToken + query));
  }

  static inline std::unique_ptr<World> world_;
  MemoryOutbox outbox_;
  std::int64_t last_message_ = 1000;
};

TEST_F(PushEndToEnd, ReachesAnApplePhoneOnce) {
  const auto push = dispatcher(all_apps());
  const Notification sent = notification(Platform::Apns);
  push->submit({sent});
  const auto resolution = outbox_.wait_for(sent.key);
  ASSERT_TRUE(resolution);
  EXPECT_EQ(resolution->kind, Kind::Sent);
  EXPECT_EQ(resolution->provider_id, notification_uuid(sent.key));
  EXPECT_EQ(world_->apns->log().size(), 1U);
}

TEST_F(PushEndToEnd, ReachesAnAndroidPhoneOnce) {
  const auto push = dispatcher(all_apps());
  const Notification sent = notification(Platform::Fcm);
  push->submit({sent});
  const auto resolution = outbox_.wait_for(sent.key);
  ASSERT_TRUE(resolution);
  EXPECT_EQ(resolution->kind, Kind::Sent) << resolution->reason;
  EXPECT_THAT(resolution->provider_id, testing::HasSubstr("/messages/"));
  EXPECT_EQ(phone(*world_->fcm, "?wait_ms=10000&shown=1").at("shown").size(), 1U);
}

TEST_F(PushEndToEnd, AThousandOfEachAllArrive) {
  const auto push = dispatcher(all_apps());
  std::vector<Notification> batch;
  for (int i = 0; i < 1000; ++i) {
    batch.push_back(notification(Platform::Apns, i + 1));
    batch.push_back(notification(Platform::Fcm, i + 1));
  }
  push->submit(batch);
  EXPECT_TRUE(outbox_.wait_for_count(2000, [](const Resolution& r) { return r.kind == Kind::Sent; }));
}

class ApnsRow : public PushEndToEnd, public testing::WithParamInterface<VerdictRow> {};
class FcmRow : public PushEndToEnd, public testing::WithParamInterface<VerdictRow> {};

TEST_P(ApnsRow, IsUnderstoodOverTheWire) {
  const VerdictRow& row = GetParam();
  json answer = {{"status", row.status}, {"reason", row.reason}};
  if (row.status == 410) answer["timestamp"] = 1'795'176'543'210;
  world_->apns->post("/script", {{"token", kToken}, {"answers", {answer}}});
  const auto push = dispatcher({apns_app(*world_->apns)});
  push->submit({notification(Platform::Apns)});
  EXPECT_TRUE(eventually(*push, [&](const DispatcherStatus& status) {
    return answer_count(status, row.verdict, std::string(row.reason)) >= 1;
  }));
}
INSTANTIATE_TEST_SUITE_P(Apple, ApnsRow,
                         testing::ValuesIn(apns::verdict_table().begin(), apns::verdict_table().end()),
                         [](const auto& row) {
                           return std::to_string(row.param.status) + std::string(row.param.reason);
                         });

// Google's error body as the row would come. The two refined reasons ("… token", "… device") come as details.
json google_error(const VerdictRow& row) {
  std::string code(row.reason.substr(0, row.reason.find(' ')));
  json error = {{"code", row.status}, {"status", code}, {"message", "no machine reads this"}};
  const bool is_status_only = code == "UNAUTHENTICATED" || code == "PERMISSION_DENIED" ||
                              code == "NOT_FOUND" || code == "RESOURCE_EXHAUSTED";
  if (!is_status_only) {
    error["details"].push_back(
        {{"@type", "type.googleapis.com/google.firebase.fcm.v1.FcmError"}, {"errorCode", code}});
  }
  if (row.reason.ends_with(" token")) {
    error["details"].push_back({{"@type", "type.googleapis.com/google.rpc.BadRequest"},
                                {"fieldViolations", {{{"field", "message.token"}}}}});
  }
  if (row.reason.ends_with(" device")) {
    error["details"].push_back({{"@type", "type.googleapis.com/google.rpc.QuotaFailure"},
                                {"violations", {{{"subject", "device:abc"}}}}});
  }
  return {{"error", error}};
}

TEST_P(FcmRow, IsUnderstoodOverTheWire) {
  const VerdictRow& row = GetParam();
  json answer = {{"status", row.status}};
  if (row.status != 200)
    answer["raw_body"] = row.reason.empty() ? "<html>no</html>" : google_error(row).dump();
  world_->fcm->post("/script", {{"token", kToken}, {"answers", {answer}}});
  const auto push = dispatcher({fcm_app()});
  push->submit({notification(Platform::Fcm)});
  std::string reason(row.reason.substr(0, row.reason.find(' ')));
  if (reason.empty() && row.status != 200) reason = "HTTP " + std::to_string(row.status);
  EXPECT_TRUE(eventually(
      *push, [&](const DispatcherStatus& status) { return answer_count(status, row.verdict, reason) >= 1; }));
}
INSTANTIATE_TEST_SUITE_P(Google, FcmRow,
                         testing::ValuesIn(fcm::verdict_table().begin(), fcm::verdict_table().end()),
                         [](const auto& row) {
                           std::string name = std::to_string(row.param.status);
                           for (const char c : row.param.reason)
                             name += std::isalnum(static_cast<unsigned char>(c)) ? std::string(1, c) : "";
                           return name;
                         });

TEST_F(PushEndToEnd, ADeadTokenIsRemovedUpToApplesTime) {
  world_->apns->post(
      "/script",
      {{"token", kToken}, {"answers", {{{"reason", "Unregistered"}, {"timestamp", 1'795'176'543'210}}}}});
  const auto push = dispatcher(all_apps());
  const Notification sent = notification(Platform::Apns);
  push->submit({sent});
  const auto resolution = outbox_.wait_for(sent.key);
  ASSERT_TRUE(resolution && resolution->token_removal);
  EXPECT_EQ(resolution->kind, Kind::Failed);
  EXPECT_EQ(resolution->token_removal->registered_until.time_since_epoch(),
            std::chrono::milliseconds{1'795'176'543'210});
}

TEST_F(PushEndToEnd, ATokenOfTheOtherHostIsTriedThere) {
  world_->apns->post("/script", {{"token", kToken}, {"answers", {{{"reason", "BadDeviceToken"}}}}});
  const auto push = dispatcher({apns_app(*world_->apns), apns_app(*world_->sandbox, Environment::Sandbox)});
  Notification sent = notification(Platform::Apns);
  sent.token.environment_proven = false;
  push->submit({sent});
  const auto resolution = outbox_.wait_for(sent.key);
  ASSERT_TRUE(resolution);
  EXPECT_EQ(resolution->kind, Kind::Sent);
  EXPECT_EQ(resolution->proven_environment, Environment::Sandbox);
}

TEST_F(PushEndToEnd, ALostAnswerIsRepeatedWithTheSameIds) {
  world_->apns->post("/script", {{"token", kToken}, {"answers", {{{"lose_answer", true}}}}});
  const auto push = dispatcher(all_apps());
  const Notification sent = notification(Platform::Apns);
  push->submit({sent});
  const auto retry = outbox_.wait_for(sent.key, Kind::RetryAt);
  ASSERT_TRUE(retry);
  EXPECT_EQ(retry->attempt_count, 1);
  ASSERT_TRUE(outbox_.wait_for(sent.key, Kind::Sent));
  const auto log = world_->apns->log(2);
  ASSERT_EQ(log.size(), 2U);
  EXPECT_EQ(log[0].at("headers").at("apns-id"), log[1].at("headers").at("apns-id"));
  EXPECT_EQ(log[0].at("headers").at("apns-collapse-id"), log[1].at("headers").at("apns-collapse-id"));
}

TEST_F(PushEndToEnd, ARefusedStreamIsSentAgainAndNotCounted) {
  world_->apns->post("/script", {{"token", kToken}, {"answers", {{{"refuse_stream", true}}}}});
  const auto push = dispatcher(all_apps());
  const Notification sent = notification(Platform::Apns);
  push->submit({sent});
  const auto resolution = outbox_.wait_for(sent.key);
  ASSERT_TRUE(resolution);
  EXPECT_EQ(resolution->kind, Kind::Sent);
  EXPECT_EQ(resolution->attempt_count, 1);
}

TEST_F(PushEndToEnd, GoawayLosesNothing) {
  const auto push = dispatcher(all_apps());
  const Notification first = notification(Platform::Apns);
  push->submit({first});
  ASSERT_TRUE(outbox_.wait_for(first.key, Kind::Sent));
  world_->apns->post("/settings", {{"delay_ms", 100}});
  std::vector<Notification> batch;
  for (int i = 0; i < 200; ++i) batch.push_back(notification(Platform::Apns, i + 1));
  push->submit(batch);
  world_->apns->log(20);
  world_->apns->post("/goaway", {{"keep", 10}});
  EXPECT_TRUE(outbox_.wait_for_count(201, [](const Resolution& r) { return r.kind == Kind::Sent; }));
}

TEST_F(PushEndToEnd, AnUnreachableProviderIsWaitedForWithoutCounting) {
  world_->apns->post("/down");
  const auto push = dispatcher(all_apps());
  const Notification sent = notification(Platform::Apns);
  push->submit({sent});
  EXPECT_TRUE(eventually(*push, [](const DispatcherStatus& status) {
    return !status.channels.empty() && status.channels[0].detail.find(": connect: ") != std::string::npos;
  }));
  world_->apns->post("/up");
  const auto resolution = outbox_.wait_for(sent.key);
  ASSERT_TRUE(resolution);
  EXPECT_EQ(resolution->kind, Kind::Sent);
  EXPECT_EQ(resolution->attempt_count, 1);
}

TEST_F(PushEndToEnd, AServerThatTheCaFileDoesNotKnowIsRefused) {
  AppOptions app = apns_app(*world_->apns);
  app.ca_file.clear();  // the system's roots do not know the simulator
  const auto push = dispatcher({app});
  push->submit({notification(Platform::Apns)});
  EXPECT_TRUE(eventually(*push, [](const DispatcherStatus& status) {
    return !status.channels.empty() &&
           status.channels[0].detail.find("certificate refused") != std::string::npos;
  }));
  EXPECT_TRUE(outbox_.all().empty());
}

TEST_F(PushEndToEnd, WithoutHttp2OnTheOtherSideNothingIsSent) {
  world_->apns->post("/settings", {{"alpn", "refuse"}});
  const auto push = dispatcher({apns_app(*world_->apns)});
  push->submit({notification(Platform::Apns)});
  EXPECT_TRUE(eventually(*push, [](const DispatcherStatus& status) {
    return !status.channels.empty() && status.channels[0].detail.find("ALPN") != std::string::npos;
  }));
}

TEST_F(PushEndToEnd, ABadKeyFileIsSaidAndAReloadResumes) {
  AppOptions broken = apns_app(*world_->apns);
  broken.key_file = world_->folder + "/nothing.p8";
  const auto push = dispatcher({broken});
  const Notification sent = notification(Platform::Apns);
  push->submit({sent});
  ASSERT_TRUE(eventually(*push, [](const DispatcherStatus& status) {
    return !status.channels.empty() && !status.channels[0].is_ready && status.in_memory == 1;
  }));
  EXPECT_THAT(push->status().channels[0].detail, testing::HasSubstr("nothing.p8"));
  push->reload({apns_app(*world_->apns)});
  EXPECT_TRUE(outbox_.wait_for(sent.key, Kind::Sent));
}

TEST_F(PushEndToEnd, ARevokedServiceAccountStopsTheChannelOnly) {
  world_->fcm->post("/settings", {{"service_account_revoked", true}});
  const auto push = dispatcher(all_apps());
  const Notification android = notification(Platform::Fcm);
  const Notification apple = notification(Platform::Apns, 8);
  push->submit({android, apple});
  EXPECT_TRUE(outbox_.wait_for(apple.key, Kind::Sent));
  EXPECT_TRUE(eventually(*push, [](const DispatcherStatus& status) {
    return status.channels.size() == 2 && !status.channels[1].is_ready && status.channels[0].is_ready;
  }));
  world_->fcm->post("/settings", {{"service_account_revoked", false}});
  push->reload(all_apps());
  EXPECT_TRUE(outbox_.wait_for(android.key, Kind::Sent));
}

TEST_F(PushEndToEnd, ATestNotificationAnswersTheProvidersVerdict) {
  world_->apns->post("/script", {{"token", kToken}, {"answers", {{{"reason", "BadDeviceToken"}}}}});
  const auto push = dispatcher(all_apps());
  std::promise<TestResult> answer;
  push->test(notification(Platform::Apns), [&](TestResult result) { answer.set_value(std::move(result)); });
  auto future = answer.get_future();
  ASSERT_EQ(future.wait_for(std::chrono::seconds{20}), std::future_status::ready);
  const TestResult result = future.get();
  EXPECT_EQ(result.verdict, Verdict::RemoveToken);
  EXPECT_EQ(result.status, 400);
  EXPECT_EQ(result.reason, "BadDeviceToken");
  EXPECT_TRUE(outbox_.all().empty());
}

}  // namespace
}  // namespace wake::push
