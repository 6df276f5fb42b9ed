#include "rest_fixture.hpp"

namespace wake::gateway::rest {
namespace {

class TopicLevels : public RestTest {
 protected:
  TopicLevels() : RestTest(options()) {}
  static RestOptions options() {
    RestOptions options;
    options.max_topic_levels = 3;
    return options;
  }
  const std::string ann_ = add_user("ann");
  const std::string camera_ = add_device("CAM1");
};

// [limits] max_topic_levels, in each call that takes a topic or a filter: at the limit, and one above.
TEST_F(TopicLevels, AreLimitedAsTheConfigurationSays) {
  pair(ann_, camera_);
  const std::string publisher = add_key({"publish"}, {"#"});
  const auto publish = [&](const char* topic) {
    return send("POST", "/v1/publish", publisher, {{"topic", topic}, {"payload", "x"}});
  };
  EXPECT_EQ(publish("a/b/c").status, 200);
  EXPECT_EQ(publish("a/b/c/d").body["detail"],
            "topic: expected an MQTT topic name: no wildcards, at most 3 levels.");
  const auto entry = [&](const char* filter) {
    return send("POST", "/v1/me/topics", ann_, {{"filter", filter}});
  };
  EXPECT_EQ(entry("a/CAM1/#").status, 201);
  EXPECT_EQ(entry("a/CAM1/b/#").body["field"], "filter");
  const std::string admin = add_key({"admin"});
  const auto key = [&](const char* filter) {
    return send("POST", "/v1/api-keys", admin,
                {{"name", "n"}, {"scopes", {"publish"}}, {"filters", {filter}}});
  };
  EXPECT_EQ(key("a/b/c").status, 201);
  EXPECT_EQ(key("a/b/c/d").body["field"], "filters[0]");
  const auto claim = [&](const char* filter) {
    const std::string code = send("POST", "/v1/me/pairings", ann_).body["code"];
    return send("POST", "/v1/pairings/" + code + "/claim", camera_, {{"topics", {{{"filter", filter}}}}});
  };
  EXPECT_EQ(claim("CAM1/b/c").status, 200);
  EXPECT_EQ(claim("CAM1/b/c/d").body["field"], "topics[0].filter");
}

}  // namespace
}  // namespace wake::gateway::rest
