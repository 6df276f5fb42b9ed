#include "gateway/auth/webhook.hpp"

#include <gmock/gmock.h>

namespace wake::gateway {
namespace {

std::optional<WebhookAnswer> read(const std::string& body, long status = 200) {
  std::string why;
  auto answer = read_webhook_answer(status, body, why);
  EXPECT_EQ(answer.has_value(), why.empty()) << body << why;
  return answer;
}

TEST(WebhookAnswer, SaysYesNoOrEverything) {
  EXPECT_FALSE(read(R"({"result":"deny"})")->verdict.is_allowed);
  const auto allowed = read(R"({"result":"allow","publish":["a/%u"],"subscribe":["b/#"],"more":1})");
  EXPECT_TRUE(allowed->verdict.is_allowed);
  EXPECT_FALSE(allowed->verdict.is_device);
  ASSERT_EQ(allowed->rules.size(), 2u);
  EXPECT_TRUE(allowed->rules[0].may_publish && !allowed->rules[0].may_subscribe);
  EXPECT_EQ(allowed->rules[0].filter, "a/%u");
  EXPECT_TRUE(!allowed->rules[1].may_publish && allowed->rules[1].may_subscribe);
  EXPECT_TRUE(read(R"({"result":"allow","kind":"device"})")->verdict.is_device);
  const auto superuser = read(R"({"result":"superuser"})");
  ASSERT_EQ(superuser->rules.size(), 1u);
  EXPECT_EQ(superuser->rules[0].filter, "#");
}

TEST(WebhookAnswer, WhatIsNotOneOpensNothing) {
  std::string many = R"({"result":"allow","publish":[)";
  for (std::size_t i = 0; i <= Webhook::kMaxRules; ++i) many += i == 0 ? "\"a\"" : ",\"a\"";
  for (const std::string& body : std::vector<std::string>{
           "", "allow", "[]", "{}", R"({"result":true})", R"({"result":"ignore"})", R"({"result":"allow",})",
           R"({"result":"allow","kind":"service"})", R"({"result":"allow","publish":"a"})",
           R"({"result":"allow","publish":[7]})", R"({"result":"allow","subscribe":["a/#/b"]})",
           R"({"result":"allow","subscribe":["$share/g/a"]})", many + "]}"}) {
    EXPECT_FALSE(read(body)) << body;
  }
  for (const long status : {201L, 204L, 302L, 400L, 401L, 500L}) {
    EXPECT_FALSE(read(R"({"result":"allow"})", status)) << status;
  }
}

WebhookQuestion question(const std::string& name, const std::string& password) {
  return {.username = name, .password = Secret(password), .client_id = "", .address = "", .protocol = "mqtt"};
}

TEST(Webhook, VerdictsAreOfTheWholeQuestion) {
  Webhook webhook({});
  webhook.remember(question("ann", "1"), {.is_allowed = true, .is_device = true});
  webhook.remember(question("bob", "1"), {});
  ASSERT_TRUE(webhook.known(question("ann", "1")));
  EXPECT_TRUE(webhook.known(question("ann", "1"))->is_device);
  EXPECT_FALSE(webhook.known(question("bob", "1"))->is_allowed);
  EXPECT_FALSE(webhook.known(question("ann", "2")));
  EXPECT_FALSE(webhook.known(question("ann1", "")));
  WebhookQuestion elsewhere = question("ann", "1");
  elsewhere.client_id = "c";
  EXPECT_FALSE(webhook.known(elsewhere));
}

TEST(Webhook, NoCacheIsNone) {
  config::AuthOptions options;
  options.webhook_cache = std::chrono::seconds(0);
  Webhook webhook(options);
  webhook.remember(question("ann", "1"), {.is_allowed = true, .is_device = false});
  EXPECT_FALSE(webhook.known(question("ann", "1")));
}

TEST(Webhook, NothingListeningIsNoAnswer) {
  config::AuthOptions options;
  options.webhook_url = "http://127.0.0.1:1/";
  Webhook webhook(options);
  EXPECT_FALSE(webhook.ask(question("ann", "1")));
  EXPECT_FALSE(webhook.ask(question("ann", "\xff"))->verdict.is_allowed)
      << "no text: no password of anybody's";
}

TEST(Webhook, AfterAStopNobodyWaits) {
  Webhook webhook({});
  std::atomic<int> done{0};
  EXPECT_TRUE(webhook.post([&] { ++done; }));
  webhook.stop();
  EXPECT_EQ(done, 1);
  EXPECT_FALSE(webhook.post([&] { ++done; }));
  EXPECT_FALSE(webhook.ask(question("ann", "1")));
}

}  // namespace
}  // namespace wake::gateway
