#include "push/fcm/access_token.hpp"

#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "../fixtures.hpp"
#include "../keys.hpp"

namespace wake::push::fcm {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;

const KeyPair kKey = make_rsa_key();

ServiceAccount account() {
  return {"project", "key-id", kKey.pem, "sender@project.iam.gserviceaccount.com",
          "https://oauth2.example/token"};
}

ExchangeResult granted(const std::string& token, std::chrono::seconds lifetime) {
  ExchangeResult result;
  result.kind = ExchangeResult::Kind::Granted;
  result.access_token = token;
  result.expires_in = lifetime;
  return result;
}

// Runs a source on a loop of its own; the exchange is whatever the test puts into `answers`.
class AccessTokens : public testing::Test, public AccessTokenEvents {
 protected:
  AccessTokens() : thread_([this] { loop_.run(); }) {}
  ~AccessTokens() override {
    on_loop([this] { source_.reset(); });
    loop_.stop();
    thread_.join();
  }
  void start() {
    on_loop([this] {
      source_ = std::make_unique<AccessTokenSource>(
          loop_, account(), ExchangeRequest{}, *this,
          [this](const ExchangeRequest& request, const std::atomic<bool>&) { return exchange(request); });
    });
  }
  ExchangeResult exchange(const ExchangeRequest& request) {
    const int number = ++exchange_count_;
    last_assertion_ = request.assertion;
    gate_.wait();
    return number <= int(answers_.size()) ? answers_[std::size_t(number - 1)] : granted("later", 3599s);
  }
  void on_loop(std::function<void()> work) {
    std::promise<void> done;
    loop_.post([&] {
      work();
      done.set_value();
    });
    done.get_future().get();
  }
  void want() {
    on_loop([this] { source_->want(EventLoop::now()); });
  }
  std::string bearer(broker::Duration later = {}) {
    std::string result;
    on_loop([&] {
      const std::string* bearer = source_->bearer(EventLoop::now().steady + later);
      result = bearer ? *bearer : "";
    });
    return result;
  }
  void on_token() override { event_.set_value("token"); }
  void on_token_trouble(const std::string& why, bool is_final) override {
    event_.set_value(why + (is_final ? ", final" : ""));
  }
  std::string next_event() {
    auto future = event_.get_future();
    const bool is_there = future.wait_for(10s) == std::future_status::ready;
    const std::string event = is_there ? future.get() : "nothing";
    event_ = {};
    return event;
  }

  std::vector<ExchangeResult> answers_;
  std::atomic<int> exchange_count_{0};
  std::promise<void> open_;
  std::shared_future<void> gate_{open_.get_future()};
  std::string last_assertion_;
  std::promise<std::string> event_;
  EventLoop loop_;
  std::unique_ptr<AccessTokenSource> source_;
  std::thread thread_;
};

TEST_F(AccessTokens, AreFetchedOnceForManyWants) {
  answers_ = {granted("one", 3599s)};
  start();
  want();
  want();
  EXPECT_EQ(bearer(), "");
  open_.set_value();
  EXPECT_EQ(next_event(), "token");
  want();
  EXPECT_EQ(bearer(), "Bearer one");
  EXPECT_EQ(bearer(3599s), "");
  EXPECT_EQ(exchange_count_, 1);
}

TEST_F(AccessTokens, AreRefreshedFiveMinutesEarlyAndTheOldOneServesMeanwhile) {
  answers_ = {granted("one", 3599s)};
  open_.set_value();
  start();
  want();
  EXPECT_EQ(next_event(), "token");
  std::promise<void> closed;
  gate_ = closed.get_future();
  on_loop([this] {
    broker::Now later = EventLoop::now();
    later.steady += 3300s;
    source_->want(later);
  });
  EXPECT_EQ(bearer(3300s), "Bearer one");
  closed.set_value();
  EXPECT_EQ(next_event(), "token");
  EXPECT_EQ(bearer(), "Bearer later");
}

TEST_F(AccessTokens, ARefusalIsFinalAFaultIsNot) {
  ExchangeResult refused;
  refused.kind = ExchangeResult::Kind::Refused;
  refused.detail = "invalid_grant";
  answers_ = {refused};
  open_.set_value();
  start();
  want();
  EXPECT_EQ(next_event(), "invalid_grant, final");
  want();
  EXPECT_EQ(exchange_count_, 1) << "not asked again at once";
}

TEST_F(AccessTokens, ALateRefusalDoesNotThrowAwayTheNewOne) {
  answers_ = {granted("one", 3599s)};
  open_.set_value();
  start();
  want();
  EXPECT_EQ(next_event(), "token");
  on_loop([this] { source_->refuse(EventLoop::now().steady); });
  EXPECT_EQ(bearer(), "Bearer one");
  on_loop([this] { source_->refuse(EventLoop::now().steady + 60s); });
  EXPECT_EQ(bearer(), "");
}

TEST(Assertion, CarriesWhatGoogleAsksFor) {
  const SigningKey key(SigningKey::Algorithm::Rs256, kKey.pem);
  const auto parts = split_jwt(make_assertion(account(), key, kAt));
  EXPECT_EQ(from_base64url(parts[0]), R"({"alg":"RS256","typ":"JWT","kid":"key-id"})");
  EXPECT_EQ(
      from_base64url(parts[1]),
      R"({"iss":"sender@project.iam.gserviceaccount.com",)"
      R"("scope":"https://www.googleapis.com/auth/firebase.messaging","aud":"https://oauth2.example/token",)"
      R"("iat":1795266000,"exp":1795269600})");
  EXPECT_TRUE(verifies(kKey, parts[0] + '.' + parts[1], from_base64url(parts[2])));
}

TEST(ServiceAccountFile, NamesTheFieldThatIsMissing) {
  try {
    parse_service_account(R"({"project_id":"p","private_key_id":7})");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "the service account file has no text \"private_key_id\"");
  }
  EXPECT_THROW(parse_service_account("[]"), std::runtime_error);
  EXPECT_THROW(parse_service_account("{"), std::runtime_error);
}

TEST(ExchangeAnswer, IsReadStrictly) {
  const auto good = read_exchange_answer(200, R"({"access_token":"t","expires_in":100})");
  EXPECT_EQ(good.kind, ExchangeResult::Kind::Granted);
  EXPECT_EQ(good.expires_in, 100s);
  EXPECT_EQ(read_exchange_answer(200, R"({"access_token":"t"})").expires_in, 3599s);
  EXPECT_EQ(read_exchange_answer(200, "{}").kind, ExchangeResult::Kind::Failed);
  EXPECT_EQ(read_exchange_answer(200, "<html>").kind, ExchangeResult::Kind::Failed);
  const auto refused =
      read_exchange_answer(400, R"({"error":"invalid_grant","error_description":"expired"})");
  EXPECT_EQ(refused.kind, ExchangeResult::Kind::Refused);
  EXPECT_EQ(refused.detail, "HTTP 400 invalid_grant expired");
  for (const long status : {408L, 429L, 500L, 503L}) {
    EXPECT_EQ(read_exchange_answer(status, "").kind, ExchangeResult::Kind::Failed);
  }
}

}  // namespace
}  // namespace wake::push::fcm
