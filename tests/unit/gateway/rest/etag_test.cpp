// Two writers, and readers that have seen it already (RFC 9110 section 13).
#include "gateway/rest/etag.hpp"

#include <future>

#include "rest_fixture.hpp"

namespace wake::gateway::rest {
namespace {

class Etags : public RestTest {
 protected:
  Etags() { pair(user_, device_); }
  std::string add_entry() {
    return send("POST", "/v1/me/topics", user_, json{{"filter", "/a/CAM1/b"}}).body["id"].get<std::string>();
  }
  std::string tag_of(const std::string& path) {
    const Answer answer = send("GET", path, user_);
    EXPECT_EQ(answer.status, 200);
    return answer.header("etag");
  }

  const std::string user_ = add_user("ann");
  const std::string device_ = add_device("CAM1");
  const json phone_{{"platform", "fcm"}, {"app_id", "com.example.cam"}, {"token", "tok"}};
};

TEST_F(Etags, WhatTheReaderHasIsNotSentAgain) {
  const std::string path = "/v1/me/topics/" + add_entry();
  const std::string tag = tag_of(path);
  ASSERT_EQ(tag.size(), 34U) << tag;
  for (const std::string& field : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    const Answer answer = send_with({{"If-None-Match", field}}, "GET", path, user_);
    EXPECT_EQ(answer.status, 304) << field;
    EXPECT_EQ(answer.header("etag"), tag);
    EXPECT_EQ(answer.raw, "");
  }
  EXPECT_EQ(send_with({{"If-None-Match", "\"other\""}}, "GET", path, user_).status, 200);
  EXPECT_EQ(send("PATCH", path, user_, json{{"title", "new"}}).status, 200);
  EXPECT_EQ(send_with({{"If-None-Match", tag}}, "GET", path, user_).status, 200);
}

TEST_F(Etags, AListHasOneToo) {
  const std::string tag = tag_of("/v1/me/topics");
  EXPECT_EQ(send_with({{"If-None-Match", tag}}, "GET", "/v1/me/topics", user_).status, 304);
  add_entry();
  EXPECT_EQ(send_with({{"If-None-Match", tag}}, "GET", "/v1/me/topics", user_).status, 200);
}

TEST_F(Etags, TheSecondOfTwoWritersIsToldInsteadOfUndoingTheFirst) {
  const std::string path = "/v1/me/topics/" + add_entry();
  const std::string seen_by_both = tag_of(path);
  EXPECT_EQ(send_with({{"If-Match", seen_by_both}}, "PATCH", path, user_, {{"title", "first"}}).status, 200);
  const Answer second = send_with({{"If-Match", seen_by_both}}, "PATCH", path, user_, {{"title", "second"}});
  EXPECT_EQ(second.status, 412);
  EXPECT_NE(second.body["fix"].get<std::string>().find("ETag"), std::string::npos);
  EXPECT_EQ(send_with({{"If-Match", seen_by_both}}, "DELETE", path, user_).status, 412);
  EXPECT_EQ(send_with({{"If-Match", "W/" + tag_of(path)}}, "DELETE", path, user_).status, 412)
      << "a weak tag never matches";
  EXPECT_EQ(send("GET", path, user_).body["title"], "first");
  EXPECT_EQ(send_with({{"If-Match", tag_of(path)}}, "DELETE", path, user_).status, 204);
}

TEST_F(Etags, OfManyWritersAtOnceOneWins) {
  const std::string path = "/v1/me/topics/" + add_entry();
  const std::string tag = tag_of(path);
  std::vector<std::future<int>> writers;
  for (int i = 0; i < 8; ++i) {
    writers.push_back(std::async(std::launch::async, [&, i] {
      return send_with({{"If-Match", tag}}, "PATCH", path, user_, {{"title", "writer " + std::to_string(i)}})
          .status;
    }));
  }
  int winners = 0;
  for (auto& writer : writers) {
    const int status = writer.get();
    EXPECT_TRUE(status == 200 || status == 412) << status;
    if (status == 200) ++winners;
  }
  EXPECT_EQ(winners, 1);
}

TEST_F(Etags, ChangesOfDifferentFieldsAtOnceDoNotUndoEachOther) {
  const std::string path = "/v1/me/topics/" + add_entry();
  for (int round = 0; round < 10; ++round) {
    const std::string title = "title " + std::to_string(round);
    const bool subscribed = round % 2 == 0;
    auto other = std::async(std::launch::async, [&] {
      return send("PATCH", path, user_, json{{"subscribed", subscribed}}).status;
    });
    EXPECT_EQ(send("PATCH", path, user_, json{{"title", title}}).status, 200);
    EXPECT_EQ(other.get(), 200);
    const Answer both = send("GET", path, user_);
    EXPECT_EQ(both.body["title"], title);
    EXPECT_EQ(both.body["subscribed"], subscribed);
  }
}

TEST_F(Etags, APairedDeviceIsReadAndRenamedByItsTag) {
  const std::string path = "/v1/me/devices/CAM1";
  const std::string tag = tag_of(path);
  EXPECT_EQ(send_with({{"If-Match", tag}}, "PATCH", path, user_, {{"name", "Front"}}).status, 200);
  EXPECT_EQ(send_with({{"If-Match", tag}}, "PATCH", path, user_, {{"name", "Back"}}).status, 412);
  EXPECT_EQ(send("GET", path, user_).body["name"], "Front");
  EXPECT_EQ(send("GET", "/v1/me/devices/CAM2", user_).status, 404);
}

TEST_F(Etags, APhoneIsRefreshedOnlyAsItWasSeen) {
  const std::string path = "/v1/me/phones/p1";
  EXPECT_EQ(send_with({{"If-Match", "*"}}, "PUT", path, user_, phone_).status, 412) << "there is none yet";
  EXPECT_EQ(send("GET", path, user_).status, 404) << "and none was made";
  EXPECT_EQ(send("PUT", path, user_, phone_).status, 201);
  const std::string tag = tag_of(path);
  json changed = phone_;
  changed["locale"] = "de";
  EXPECT_EQ(send_with({{"If-Match", tag}}, "PUT", path, user_, changed).status, 200);
  EXPECT_EQ(send_with({{"If-Match", tag}}, "PUT", path, user_, phone_).status, 412);
  EXPECT_EQ(send_with({{"If-Match", "*"}}, "PUT", path, user_, phone_).status, 200);
}

TEST_F(Etags, WhatIsNotMineIsNotFoundWhateverTheTag) {
  const std::string path = "/v1/me/topics/" + add_entry();
  const std::string bob = add_user("bob");
  EXPECT_EQ(send("GET", path, bob).status, 404);
  EXPECT_EQ(send_with({{"If-Match", tag_of(path)}}, "PATCH", path, bob, {{"title", "x"}}).status, 404);
  EXPECT_EQ(send_with({{"If-Match", "*"}}, "DELETE", path, bob).status, 404);
  EXPECT_EQ(send("GET", "/v1/me/devices/CAM1", bob).status, 404);
}

}  // namespace
}  // namespace wake::gateway::rest
