#include "db/push_policy_json.hpp"

#include <gtest/gtest.h>

namespace wake::db {
namespace {

using broker::PushPolicy;

PushPolicy parsed(std::string_view text, const PushPolicy& base = {}) {
  return std::get<PushPolicy>(from_json_text(text, base));
}
std::string fault(std::string_view text) {
  const auto result = from_json_text(text);
  const auto* error = std::get_if<PolicyError>(&result);
  return error == nullptr ? "" : error->field;
}

constexpr const char* kFull =
    R"({"android":"notification","body":"{{payload.temp}}","collapse":"c","min_interval":60,"mode":"always",)"
    R"("priority":"normal","quiet_hours":{"end":"07:00","start":"22:30","tz":"Europe/Berlin"},"sound":"default",)"
    R"("style":"silent","title":"门","ttl":0})";

TEST(PushPolicyJson, ReadsEveryKey) {
  const PushPolicy policy = parsed(kFull);
  EXPECT_EQ(policy.mode, broker::PushMode::Always);
  EXPECT_EQ(policy.style, broker::PushStyle::Silent);
  EXPECT_FALSE(policy.is_high_priority);
  EXPECT_EQ(policy.ttl_s, 0);
  EXPECT_EQ(policy.quiet_hours, (broker::QuietHours{22 * 60 + 30, 7 * 60, "Europe/Berlin"}));
  EXPECT_EQ(policy.min_interval_s, 60);
  EXPECT_TRUE(policy.is_android_notification);
  EXPECT_EQ(policy.title, "门");
}

TEST(PushPolicyJson, WritesWhatItRead) {
  EXPECT_EQ(to_json_text(parsed(kFull)), kFull);
  EXPECT_EQ(to_json_text(parsed(kFull), PolicyShape::Changes), kFull);
}

TEST(PushPolicyJson, DefaultsAreWholeOrNothing) {
  EXPECT_EQ(to_json_text({}, PolicyShape::Changes), "{}");
  EXPECT_EQ(
      to_json_text({}),
      R"({"android":"data","body":"","collapse":"","min_interval":0,"mode":"fallback","priority":"high",)"
      R"("quiet_hours":null,"sound":"","style":"alert","title":"","ttl":null})");
  EXPECT_EQ(parsed("{}"), PushPolicy{});
  EXPECT_EQ(parsed(to_json_text({})), PushPolicy{});
}

TEST(PushPolicyJson, AbsentKeysKeepTheBase) {
  PushPolicy changed = parsed(R"({"title":"x","ttl":null,"quiet_hours":null})", parsed(kFull));
  EXPECT_EQ(changed.title, "x");
  EXPECT_EQ(changed.ttl_s, std::nullopt);
  EXPECT_EQ(changed.quiet_hours, std::nullopt);
  EXPECT_EQ(changed.mode, broker::PushMode::Always);
}

TEST(PushPolicyJson, NamesTheFieldThatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "push"},
      {"[]", "push"},
      {"{\"mode\":", "push"},
      {R"({"loud":1})", "push.loud"},
      {R"({"mode":"sometimes"})", "push.mode"},
      {R"({"mode":null})", "push.mode"},
      {R"({"style":1})", "push.style"},
      {R"({"title":5})", "push.title"},
      {R"({"title":"a\u0000b"})", "push.title"},
      {R"({"priority":"urgent"})", "push.priority"},
      {R"({"ttl":-1})", "push.ttl"},
      {R"({"ttl":1.5})", "push.ttl"},
      {R"({"ttl":2419201})", "push.ttl"},
      {R"({"min_interval":604801})", "push.min_interval"},
      {R"({"android":"both"})", "push.android"},
      {R"({"quiet_hours":"22-07"})", "push.quiet_hours"},
      {R"({"quiet_hours":{"start":"22:00","end":"07:00"}})", "push.quiet_hours.tz"},
      {R"({"quiet_hours":{"start":"24:00","end":"07:00","tz":"UTC"}})", "push.quiet_hours.start"},
      {R"({"quiet_hours":{"start":"22:00","end":"7:00","tz":"UTC"}})", "push.quiet_hours.end"},
      {R"({"quiet_hours":{"start":"22:00","end":"07:00","tz":"../x"}})", "push.quiet_hours.tz"},
      {R"({"quiet_hours":{"start":"22:00","end":"07:00","tz":"UTC","x":1}})", "push.quiet_hours.x"},
  };
  for (const auto& [text, field] : cases) EXPECT_EQ(fault(text), field) << text;
}

TEST(PushPolicyJson, LimitsAtTheEdge) {
  const auto title = [](std::size_t bytes) { return R"({"title":")" + std::string(bytes, 'x') + "\"}"; };
  EXPECT_EQ(fault(title(1'023)), "");
  EXPECT_EQ(fault(title(1'024)), "");
  EXPECT_EQ(fault(title(1'025)), "push.title");
  EXPECT_EQ(fault(R"({"ttl":2419200})"), "");
  EXPECT_EQ(fault(R"({"ttl":0})"), "");
}

}  // namespace
}  // namespace wake::db
