#include "push/render.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fixtures.hpp"
#include "push/text.hpp"

namespace wake::push {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing_support::kAt;
using testing_support::Parts;

ApnsRequest apns(const Parts& parts, bool has_entry = true) {
  return render_apns(parts.make(has_entry), {kAt, false});
}
json apns_body(const Parts& parts) { return json::parse(apns(parts).body); }
json fcm_message(const Parts& parts) {
  return json::parse(render_fcm(parts.make(), {kAt, false})).at("message");
}

// What Google counts: keys and values.
std::size_t counted(const json& message) {
  std::size_t count = 0;
  const auto add = [&](const json& object) {
    for (const auto& [key, value] : object.items()) count += key.size() + value.get<std::string>().size();
  };
  add(message.at("data"));
  if (message.at("android").contains("notification")) add(message.at("android").at("notification"));
  return count;
}

TEST(RenderApns, Headers) {
  const ApnsRequest request = apns(Parts());
  EXPECT_EQ(request.path, "/3/device/00fc13ad");
  EXPECT_EQ(request.push_type, "alert");
  EXPECT_EQ(request.priority, "10");
  EXPECT_EQ(request.expiration,
            std::to_string(std::chrono::floor<std::chrono::seconds>(kAt + 1h).time_since_epoch().count()));
  EXPECT_EQ(request.collapse_id, "4711");
}

TEST(RenderApns, TheTokenInThePathIsLowerCase) {
  Parts parts;
  parts.token.token = "00FC13AD";
  EXPECT_EQ(apns(parts).path, "/3/device/00fc13ad");
}

TEST(RenderApns, BodyOfAnAlert) {
  const json expected = json::parse(R"({
    "aps":{"alert":{"title":"Front door","body":"{\"temp\":21.5,\"zone\":\"前门\",\"deep\":{\"list\":[1,{\"on\":true}]}}"},
           "thread-id":"/zavio/ipcam/motiondetector/XRHIU1Z76KFM/location","mutable-content":1},
    "wake":{"id":"4711","topic":"/zavio/ipcam/motiondetector/XRHIU1Z76KFM/location",
            "payload":"{\"temp\":21.5,\"zone\":\"前门\",\"deep\":{\"list\":[1,{\"on\":true}]}}","enc":"utf8",
            "truncated":false,"at":"2026-11-21T13:00:00.000Z"}})");
  EXPECT_EQ(apns_body(Parts()), expected);
}

TEST(RenderApns, TemplatesAndSound) {
  Parts parts;
  parts.entry.push.title = "{{device.name}}";
  parts.entry.push.body = "{{payload.zone}}: {{payload.temp}}";
  parts.entry.push.sound = "bell.caf";
  const json aps = apns_body(parts).at("aps");
  EXPECT_EQ(aps.at("alert").at("title"), "Camera 1");
  EXPECT_EQ(aps.at("alert").at("body"), "前门: 21.5");
  EXPECT_EQ(aps.at("sound"), "bell.caf");
}

TEST(RenderApns, SilentIsContentAvailableAlone) {
  Parts parts;
  parts.entry.push.style = broker::PushStyle::Silent;
  const ApnsRequest request = apns(parts);
  EXPECT_EQ(request.push_type, "background");
  EXPECT_EQ(request.priority, "5");
  EXPECT_EQ(json::parse(request.body).at("aps"), json::parse(R"({"content-available":1})"));
  EXPECT_EQ(json::parse(request.body).at("wake").at("id"), "4711");
}

TEST(RenderApns, NormalPriorityIs5) {
  Parts parts;
  parts.entry.push.is_high_priority = false;
  EXPECT_EQ(apns(parts).priority, "5");
}

TEST(RenderApns, NowOrNeverIsZero) {
  Parts parts;
  parts.entry.push.ttl_s = 0;
  EXPECT_EQ(apns(parts).expiration, "0");
  EXPECT_EQ(fcm_message(parts).at("android").at("ttl"), "0s");
}

TEST(RenderApns, WithoutAnEntryTheTopicIsTheTitle) {
  const json body = json::parse(apns(Parts(), false).body);
  EXPECT_EQ(body.at("aps").at("alert").at("title"), "/zavio/ipcam/motiondetector/XRHIU1Z76KFM/location");
}

TEST(RenderApns, BinaryPayloadIsBase64AndNoBody) {
  Parts parts;
  parts.message.payload = "\xFF\x01";
  const json body = apns_body(parts);
  EXPECT_EQ(body.at("wake").at("payload"), "/wE=");
  EXPECT_EQ(body.at("wake").at("enc"), "base64");
  EXPECT_FALSE(body.at("aps").at("alert").contains("body"));
}

TEST(RenderApns, OverTheLimitThePayloadIsLeftOut) {
  Parts parts;
  parts.message.payload.clear();
  const std::size_t around = apns(parts).body.size();
  for (const int over : {-1, 0, 1}) {
    parts.message.payload =
        std::string(kMaxPushBytes - around + static_cast<std::size_t>(over + 100) - 100, 'x');
    const ApnsRequest request = apns(parts);
    const json wake = json::parse(request.body).at("wake");
    EXPECT_LE(request.body.size(), kMaxPushBytes);
    EXPECT_EQ(wake.at("truncated"), over > 0) << over;
    EXPECT_EQ(wake.contains("payload"), over <= 0) << over;
  }
}

TEST(RenderApns, PayloadIsLeftOutWhenAsked) {
  const json wake = json::parse(render_apns(Parts().make(), {kAt, true}).body).at("wake");
  EXPECT_EQ(wake.at("truncated"), true);
  EXPECT_FALSE(wake.contains("payload"));
}

TEST(Render, WhateverComesItFitsAndIsJson) {
  std::uint32_t seed = 7;
  const auto noise = [&](std::size_t size) {
    std::string bytes;
    while (bytes.size() < size) bytes += static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
    return bytes;
  };
  const std::size_t sizes[] = {0, 10, 300, 1100, 3000, 5000, 60'000};
  for (int round = 0; round < 300; ++round) {
    Parts parts;
    parts.message.topic = noise(sizes[round % 7]);
    parts.message.payload =
        round % 2 ? std::string(sizes[round / 7 % 7], '\x01') : noise(sizes[round / 7 % 7]);
    parts.entry.push.title = noise(sizes[round / 3 % 7]);
    parts.entry.push.body = round % 3 ? noise(sizes[round / 5 % 7]) : "{{payload}}{{topic}}";
    parts.entry.push.sound = noise(sizes[round / 2 % 7]);
    parts.entry.push.collapse = noise(sizes[round / 4 % 7]);
    parts.entry.push.is_android_notification = true;
    const ApnsRequest request = apns(parts);
    EXPECT_LE(request.body.size(), kMaxPushBytes);
    EXPECT_TRUE(json::accept(request.body));
    EXPECT_LE(request.collapse_id.size(), kMaxCollapseIdBytes);
    EXPECT_LE(counted(fcm_message(parts)), kMaxPushBytes);
  }
}

TEST(RenderFcm, DataIsStringsAndOnlyData) {
  Parts parts;
  parts.entry.push.body = "{{payload.temp}}";
  const json expected = json::parse(R"({
    "token":"00fc13ad",
    "data":{"wake_id":"4711","wake_topic":"/zavio/ipcam/motiondetector/XRHIU1Z76KFM/location",
            "wake_payload":"{\"temp\":21.5,\"zone\":\"前门\",\"deep\":{\"list\":[1,{\"on\":true}]}}","wake_enc":"utf8",
            "wake_truncated":"false","wake_at":"2026-11-21T13:00:00.000Z","wake_title":"Front door","wake_body":"21.5"},
    "android":{"priority":"HIGH","ttl":"3600s"}})");
  EXPECT_EQ(fcm_message(parts), expected);
}

TEST(RenderFcm, SilentIsNormalPriority) {
  Parts parts;
  parts.entry.push.style = broker::PushStyle::Silent;
  const json message = fcm_message(parts);
  EXPECT_EQ(message.at("android").at("priority"), "NORMAL");
  EXPECT_FALSE(message.at("data").contains("wake_title"));
}

TEST(RenderFcm, AndroidNotificationCarriesTheCollapseIdAsTag) {
  Parts parts;
  parts.entry.push.is_android_notification = true;
  parts.entry.push.collapse = "door-{{topic[4]}}";
  const json notification = fcm_message(parts).at("android").at("notification");
  EXPECT_EQ(notification.at("tag"), "door-XRHIU1Z76KFM");
  EXPECT_EQ(notification.at("title"), "Front door");
}

TEST(RenderFcm, AFidGoesInItsOwnField) {
  Parts parts;
  parts.token.kind = broker::TokenKind::Fid;
  EXPECT_EQ(fcm_message(parts).at("fid"), "00fc13ad");
  EXPECT_FALSE(fcm_message(parts).contains("token"));
}

TEST(RenderFcm, OverTheLimitThePayloadIsLeftOut) {
  Parts parts;
  parts.message.payload = std::string(4000, 'x');
  const json data = fcm_message(parts).at("data");
  EXPECT_EQ(data.at("wake_truncated"), "true");
  EXPECT_FALSE(data.contains("wake_payload"));
}

TEST(CollapseId, ShortAsciiAsItIsElseAHash) {
  Parts parts;
  parts.entry.push.collapse = std::string(64, 'c');
  EXPECT_EQ(collapse_id_of(parts.make()), std::string(64, 'c'));
  for (const std::string& own :
       {std::string(65, 'c'), std::string("前门"), std::string("two words"), std::string("\n")}) {
    parts.entry.push.collapse = own;
    const std::string id = collapse_id_of(parts.make());
    EXPECT_EQ(id.size(), 64U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
  }
  parts.entry.push.collapse = "{{payload.nothing}}";
  EXPECT_EQ(collapse_id_of(parts.make()), "4711");
}

TEST(NotificationUuid, IsVersion5LowerCaseAndFixedForEver) {
  const std::string id = notification_uuid({{4711}, {7}});
  EXPECT_EQ(id, "920f958c-3e77-5920-ab63-69c6a51edf93");
  EXPECT_EQ(id[14], '5');
  EXPECT_NE(notification_uuid({{4711}, {8}}), id);
  EXPECT_NE(notification_uuid({{471}, {17}}), notification_uuid({{4711}, {7}}));
}

}  // namespace
}  // namespace wake::push
