#include "tests/sim/apns_rules.hpp"

#include <gtest/gtest.h>

#include "tests/sim/test_keys.hpp"

namespace wake::sim::apns {
namespace {

const std::string kBody = R"({"aps":{"alert":{"title":"Front door","body":"Motion"}},"wake":{"id":"m1"}})";
const Headers kHeaders = {
    {"apns-topic", "com.example.cam"}, {"apns-push-type", "alert"}, {"apns-priority", "10"}};

Headers with(std::string name, std::string value) {
  Headers headers = kHeaders;
  std::erase_if(headers, [&](const auto& h) { return h.first == name; });
  headers.emplace_back(std::move(name), std::move(value));
  return headers;
}

std::string verdict(const Headers& headers, const std::string& body = kBody,
                    const std::vector<std::string>& topics = {}) {
  const auto checked = check_message(post("/3/device/ab", headers, body), topics, kNoon);
  return checked.refusal ? checked.refusal : "taken";
}

std::string target(std::string method, std::string path) {
  Request request = post(std::move(path), {}, kBody);
  request.method = std::move(method);
  const char* refusal = check_target(request);
  return refusal ? refusal : "taken";
}

TEST(ApnsTarget, NamesWhatIsWrongWithMethodAndPath) {
  EXPECT_EQ(target("POST", "/3/device/00fc13ad"), "taken");
  EXPECT_EQ(target("GET", "/3/device/00fc13ad"), "MethodNotAllowed");
  EXPECT_EQ(target("POST", "/2/device/00fc13ad"), "BadPath");
  EXPECT_EQ(target("POST", "/3/device/ab/cd"), "BadPath");
  EXPECT_EQ(target("POST", "/3/device/"), "MissingDeviceToken");
  EXPECT_EQ(target("POST", "/3/device/zz"), "BadDeviceToken");
  EXPECT_EQ(target("POST", "/3/device/abc"), "BadDeviceToken");
  EXPECT_EQ(target("POST", "/3/device/" + std::string(200, 'a')), "taken");
  EXPECT_EQ(target("POST", "/3/device/" + std::string(202, 'a')), "BadDeviceToken");
}

TEST(ApnsMessage, DescribesThePushItTakes) {
  auto headers = with("apns-collapse-id", "m1");
  headers.emplace_back("apns-id", "6f1a2b3c-0000-4000-8000-000000000001");
  headers.emplace_back("apns-expiration", "1795780800");
  const auto checked = check_message(post("/3/device/AB", headers, kBody), {}, kNoon);
  ASSERT_EQ(checked.refusal, nullptr);
  EXPECT_EQ(checked.push.token, "ab");
  EXPECT_EQ(checked.push.app, "com.example.cam");
  EXPECT_EQ(checked.push.id, "6f1a2b3c-0000-4000-8000-000000000001");
  EXPECT_EQ(checked.push.wake_id, "m1");
  EXPECT_EQ(checked.push.screen_key, "m1");
  EXPECT_EQ(checked.push.title, "Front door");
  EXPECT_EQ(checked.push.body, "Motion");
  EXPECT_EQ(unix_seconds(*checked.push.expires), 1795780800);
  EXPECT_TRUE(checked.push.storable);
  EXPECT_FALSE(checked.push.silent);
}

TEST(ApnsMessage, ChecksTheTopic) {
  Headers none = kHeaders;
  none.erase(none.begin());
  EXPECT_EQ(verdict(none), "MissingTopic");
  EXPECT_EQ(verdict(with("apns-topic", "not a topic")), "BadTopic");
  EXPECT_EQ(verdict(kHeaders, kBody, {"com.example.cam"}), "taken");
  EXPECT_EQ(verdict(kHeaders, kBody, {"com.example.other"}), "TopicDisallowed");
  EXPECT_EQ(verdict({{"apns-topic", "com.example.cam.voip"}, {"apns-push-type", "voip"}}, kBody,
                    {"com.example.cam"}),
            "taken");
  EXPECT_EQ(verdict({{"apns-topic", "com.example.cam"}, {"apns-push-type", "voip"}}), "BadTopic");
}

TEST(ApnsMessage, ChecksEachHeaderByItself) {
  EXPECT_EQ(verdict(with("apns-id", "6F1A2B3C")), "BadMessageId");
  EXPECT_EQ(verdict(with("apns-priority", "7")), "BadPriority");
  EXPECT_EQ(verdict(with("apns-priority", "1")), "taken");
  EXPECT_EQ(verdict(with("apns-expiration", "tomorrow")), "BadExpirationDate");
  EXPECT_EQ(verdict(with("apns-expiration", "-1")), "BadExpirationDate");
  EXPECT_EQ(verdict(with("apns-push-type", "loud")), "InvalidPushType");
  Headers twice = kHeaders;
  twice.emplace_back("apns-topic", "com.example.cam");
  EXPECT_EQ(verdict(twice), "DuplicateHeaders");
}

TEST(ApnsMessage, CountsTheCollapseIdInBytes) {
  EXPECT_EQ(verdict(with("apns-collapse-id", std::string(64, 'c'))), "taken");
  EXPECT_EQ(verdict(with("apns-collapse-id", std::string(65, 'c'))), "BadCollapseId");
  std::string chinese;
  for (int i = 0; i < 22; ++i) chinese += "门";  // 66 bytes
  EXPECT_EQ(verdict(with("apns-collapse-id", chinese)), "BadCollapseId");
}

TEST(ApnsMessage, WantsAPayloadOfAtMost4096Bytes) {
  const std::string start = R"({"aps":{"alert":")", end = R"("}})";
  const auto sized = [&](std::size_t bytes) {
    return start + std::string(bytes - start.size() - end.size(), 'x') + end;
  };
  EXPECT_EQ(verdict(kHeaders, ""), "PayloadEmpty");
  EXPECT_EQ(verdict(kHeaders, "not json"), "PayloadEmpty");
  EXPECT_EQ(verdict(kHeaders, R"({"wake":{}})"), "PayloadEmpty");
  EXPECT_EQ(verdict(kHeaders, sized(4096)), "taken");
  EXPECT_EQ(verdict(kHeaders, sized(4097)), "PayloadTooLarge");
  const Headers voip = {{"apns-topic", "com.example.cam.voip"}, {"apns-push-type", "voip"}};
  EXPECT_EQ(verdict(voip, sized(5120)), "taken");
  EXPECT_EQ(verdict(voip, sized(5121)), "PayloadTooLarge");
}

TEST(ApnsMessage, HoldsThePushTypeAgainstThePayload) {
  const std::string silent = R"({"aps":{"content-available":1},"wake":{"id":"m1"}})";
  const auto background = [](const char* priority) {
    return Headers{
        {"apns-topic", "com.example.cam"}, {"apns-push-type", "background"}, {"apns-priority", priority}};
  };
  EXPECT_EQ(verdict(background("5"), silent), "taken");
  EXPECT_EQ(verdict(background("10"), silent), "BadPriority");
  EXPECT_EQ(verdict(background("5"), kBody), "InvalidPushType");
  EXPECT_EQ(verdict(with("apns-priority", "5"), silent), "InvalidPushType");
  EXPECT_EQ(verdict({{"apns-topic", "com.example.cam"}}, silent),
            "BadPriority");  // 10 is what an absent one means
}

TEST(ApnsMessage, NeverStoresAnExpirationOfZero) {
  const auto checked = check_message(post("/3/device/ab", with("apns-expiration", "0"), kBody), {}, kNoon);
  ASSERT_EQ(checked.refusal, nullptr);
  EXPECT_FALSE(checked.push.storable);
}

TEST(ApnsReason, KnowsTheStatusOfEachAndNoOther) {
  EXPECT_EQ(status_of("Unregistered"), 410);
  EXPECT_EQ(status_of("ExpiredProviderToken"), 403);
  EXPECT_EQ(status_of("TooManyProviderTokenUpdates"), 429);
  EXPECT_EQ(status_of("Shutdown"), 503);
  EXPECT_EQ(status_of("Unheard"), 0);
}

}  // namespace
}  // namespace wake::sim::apns
