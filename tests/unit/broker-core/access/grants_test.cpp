#include "broker-core/access/grants.hpp"

#include <gtest/gtest.h>

namespace wake::broker {
namespace {

Grants of_devices(std::vector<std::string> ids) {
  Grants grants;
  grants.device_ids = std::move(ids);
  return grants;
}

TEST(Grants, NothingIsGrantedByDefault) {
  const Grants grants;
  for (const char* topic : {"a", "/a/b", "$SYS/broker/uptime", "$wake/presence"}) {
    EXPECT_FALSE(grants.may_publish(topic)) << topic;
    EXPECT_FALSE(grants.may_subscribe(topic)) << topic;
    EXPECT_FALSE(grants.may_receive(topic)) << topic;
  }
  EXPECT_FALSE(grants.may_subscribe("#"));
}

TEST(Grants, ADeviceIdMustBeALevelOfTheTopic) {
  const Grants grants = of_devices({"OTHER", "XRHIU1Z76KFM"});
  for (const char* topic : {"/zavio/ipcam/motiondetector/XRHIU1Z76KFM/location", "XRHIU1Z76KFM", "a/OTHER"}) {
    EXPECT_TRUE(grants.may_publish(topic)) << topic;
    EXPECT_TRUE(grants.may_receive(topic)) << topic;
  }
  for (const char* topic : {"/zavio/XRHIU1Z76KF/location", "/zavio/XRHIU1Z76KFMX/location",
                            "/zavio/xrhiu1z76kfm", "a", "/zavio/X-XRHIU1Z76KFM"}) {
    EXPECT_FALSE(grants.may_publish(topic)) << topic;
    EXPECT_FALSE(grants.may_receive(topic)) << topic;
  }
}

TEST(Grants, AFilterMayBeWideAroundTheDeviceIdButMustNameIt) {
  const Grants grants = of_devices({"CAM"});
  for (const char* filter : {"+/+/CAM/#", "CAM/#", "+/CAM", "/zavio/+/CAM/location", "CAM"}) {
    EXPECT_TRUE(grants.may_subscribe(filter)) << filter;
  }
  for (const char* filter : {"#", "+/+/+/#", "+", "/zavio/#", "/zavio/+/OTHER/#"}) {
    EXPECT_FALSE(grants.may_subscribe(filter)) << filter;
  }
}

TEST(Grants, AKeysFiltersCountEachForItsOwnScope) {
  Grants grants;
  grants.publish_filters = {"cmd/+"};
  grants.subscribe_filters = {"events/#"};
  EXPECT_TRUE(grants.may_publish("cmd/door"));
  EXPECT_FALSE(grants.may_publish("cmd/door/1"));
  EXPECT_FALSE(grants.may_publish("events/a"));
  EXPECT_TRUE(grants.may_subscribe("events/+/x"));
  EXPECT_TRUE(grants.may_subscribe("events/#"));
  EXPECT_FALSE(grants.may_subscribe("+/x")) << "reaches topics outside of events";
  EXPECT_FALSE(grants.may_subscribe("cmd/door"));
  EXPECT_TRUE(grants.may_receive("events"));
  EXPECT_FALSE(grants.may_receive("cmd/door"));
}

TEST(Grants, RulesAddToWhatIsGranted) {
  Grants grants = of_devices({"CAM"});
  grants.rules = {{.may_publish = true, .may_subscribe = false, .filter = "in/#"},
                  {.may_publish = false, .may_subscribe = true, .filter = "out/+"}};
  EXPECT_TRUE(grants.may_publish("in/a/b"));
  EXPECT_FALSE(grants.may_subscribe("in/a"));
  EXPECT_TRUE(grants.may_subscribe("out/a"));
  EXPECT_TRUE(grants.may_receive("out/a"));
  EXPECT_FALSE(grants.may_publish("out/a"));
  EXPECT_TRUE(grants.may_publish("CAM/x")) << "what the device id grants stays";
}

TEST(Grants, SysIsReadOnlyAndOnlyForThoseWhoMaySeeIt) {
  Grants grants = of_devices({"CAM"});
  grants.rules = {{.may_publish = true, .may_subscribe = true, .filter = "$SYS/#"}};
  for (const char* topic : {"$SYS/broker/uptime", "$SYS/CAM", "$SYS"}) {
    EXPECT_FALSE(grants.may_subscribe(topic)) << topic;
    EXPECT_FALSE(grants.may_receive(topic)) << topic;
    EXPECT_FALSE(grants.may_publish(topic)) << topic;
  }
  grants.may_see_sys = true;
  EXPECT_TRUE(grants.may_subscribe("$SYS/#"));
  EXPECT_TRUE(grants.may_receive("$SYS/broker/uptime"));
  EXPECT_FALSE(grants.may_publish("$SYS/broker/uptime"));
  EXPECT_FALSE(grants.may_subscribe("#"));
}

TEST(Grants, TheGatewaysOwnTopicsAreNobodysToPublishOrSubscribe) {
  Grants grants = of_devices({"presence"});
  grants.is_superuser = true;
  grants.may_see_sys = true;
  grants.rules = {{.may_publish = true, .may_subscribe = true, .filter = "$wake/#"}};
  for (const char* topic : {"$wake/presence", "$wake/pair", "$wake/events", "$wake/x"}) {
    EXPECT_FALSE(grants.may_publish(topic)) << topic;
    EXPECT_FALSE(grants.may_subscribe(topic)) << topic;
  }
  EXPECT_FALSE(grants.may_subscribe("$wake/#"));
  EXPECT_TRUE(Grants{}.may_receive("$wake/events")) << "the gateway sent it to this very session";
  EXPECT_FALSE(grants.may_receive("$wake/pair"));
}

TEST(Grants, ASuperuserMayAllButPublishToSys) {
  Grants grants;
  grants.is_superuser = true;
  grants.may_see_sys = true;
  EXPECT_TRUE(grants.may_publish("a/b"));
  EXPECT_TRUE(grants.may_publish("$other/b"));
  EXPECT_TRUE(grants.may_subscribe("#"));
  EXPECT_TRUE(grants.may_receive("a"));
  EXPECT_FALSE(grants.may_publish("$SYS/a"));
  EXPECT_FALSE(grants.may_publish("$share/a/b")) << "nobody could subscribe to it";
  EXPECT_TRUE(grants.may_publish("$shared/a"));
  EXPECT_TRUE(grants.may_publish("$SYSTEM/a")) << "only the level $SYS itself is the gateway's";
}

}  // namespace
}  // namespace wake::broker
