// $SYS/broker/...: who sees it, and who cannot write it.
#include <gmock/gmock.h>

#include "tests/support/simulated_world.hpp"

namespace wake::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void measure(World& world, unsigned shard_count, const std::string& clients) {
  for (unsigned k = 0; k < shard_count; ++k)
    world.shard(k).publish_sys({{"$SYS/broker/clients/total", clients}}, world.now);
  world.settle();
}

TEST(SysTopic, ReachesSubscribersOnEveryShardOnceAndWaitsForNewOnes) {
  World world(2);
  std::vector<Client*> early;
  for (int i = 0; i < 6; ++i) {
    early.push_back(&world.connect("early" + std::to_string(i)));
    world.subscribe(*early.back(), "$SYS/#", Qos::AtLeastOnce);
  }
  measure(world, 2, "6");
  for (const Client* one : early) EXPECT_THAT(one->payloads(), ElementsAre("6"));
  for (int i = 0; i < 4; ++i) {
    Client& late = world.connect("late" + std::to_string(i));
    world.subscribe(late, "$SYS/broker/+/total", Qos::AtLeastOnce);
    EXPECT_THAT(late.payloads(), ElementsAre("6"));
    EXPECT_TRUE(late.received.at(0).retain);
  }
  EXPECT_THAT(world.storage.retained, IsEmpty());
}

TEST(SysTopic, IsNotAmongAllTopics) {
  World world;
  Client& app = world.connect("app");
  world.subscribe(app, "#", Qos::AtMostOnce);
  world.subscribe(app, "+/broker/#", Qos::AtMostOnce);
  measure(world, 1, "1");
  EXPECT_THAT(app.received, IsEmpty());
}

TEST(SysTopic, GoesToOneMemberOfAGroup) {
  World world(2);
  Client& a = world.connect("a");
  Client& b = world.connect("b");
  Client& c = world.connect("c");
  for (Client* one : {&a, &b, &c}) world.subscribe(*one, "$share/g/$SYS/#", Qos::AtMostOnce);
  for (int i = 0; i < 6; ++i) measure(world, 2, std::to_string(i));
  for (Client* one : {&a, &b, &c}) EXPECT_EQ(one->received.size(), 2u);
}

TEST(SysTopic, IsWrittenByNobodyAndReadByWhoMay) {
  World world;
  Client& anonymous = world.connect("anonymous", {.version = Version::V5});
  world.publish(anonymous, "$SYS/broker/clients/total", "0", Qos::AtLeastOnce);
  EXPECT_EQ(anonymous.pubacks.at(0).second, ReasonCode::NotAuthorized);
  auto user = std::make_shared<UserRecord>();
  user->id = {1};
  user->username = "ann";
  user->device_ids = {"broker"};
  world.apply_user(user);
  world.username_of["app"] = "ann";
  Client& app = world.connect("app", {.version = Version::V5});
  world.subscribe(app, "$SYS/broker/#", Qos::AtMostOnce);
  EXPECT_THAT(app.subacks, ElementsAre(ReasonCode::NotAuthorized));
  world.subscribe(app, "$share/g/$SYS/broker/#", Qos::AtMostOnce);
  EXPECT_THAT(app.subacks, ElementsAre(ReasonCode::NotAuthorized));
}

}  // namespace
}  // namespace wake::test
