// A back end's publish that brings its message id, because it may be repeated (an Idempotency-Key of REST):
// whatever is killed in between, whether the message's row is there afterwards tells whether it was
// published, to all who are owed it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker-core/session/message_ids.hpp"
#include "tests/support/simulated_world.hpp"

namespace wake::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// Two on every shard.
std::vector<std::string> apps_of(unsigned shard_count) {
  std::vector<std::string> apps;
  std::map<unsigned, int> found;
  for (int i = 0; apps.size() < std::size_t{2} * shard_count; ++i) {
    const std::string id = "app" + std::to_string(i);
    if (++found[home_shard(id, shard_count)] <= 2) apps.push_back(id);
  }
  return apps;
}

class BrokerKeyed : public testing::TestWithParam<unsigned> {
 protected:
  BrokerKeyed() : world_(std::make_unique<World>(GetParam())), id_(MessageIds(0, 15).next(world_->now.utc)) {}

  void connect_all() {
    for (const std::string& app : apps_) {
      if (!world_->client(app).is_connected)
        world_->connect(app, {.clean = false, .version = Version::V5, .expiry_s = 3600});
    }
  }
  /// Half of the apps are there, half are away.
  void subscribe() {
    connect_all();
    for (const std::string& app : apps_) world_->subscribe(world_->client(app), "a", Qos::ExactlyOnce);
    for (std::size_t i = 0; i < apps_.size(); i += 2) world_->drop(world_->client(apps_[i]));
  }
  void publish() {
    world_->shard(0).publish({.id = id_, .topic = "a", .payload = "x", .qos = Qos::ExactlyOnce}, 7,
                             world_->now);
    world_->settle();
  }
  bool is_stored() const { return world_->storage.messages.contains(id_); }

  std::unique_ptr<World> world_;
  const MessageId id_;
  const std::vector<std::string> apps_ = apps_of(GetParam());
};

TEST_P(BrokerKeyed, ItIsPublishedUnderTheIdThatItBrings) {
  subscribe();
  publish();
  ASSERT_THAT(world_->settled, SizeIs(1));
  EXPECT_EQ(world_->settled[0].message_id, id_);
  EXPECT_EQ(world_->settled[0].reason, ReasonCode::Success);
  EXPECT_THAT(world_->storage.provisional, IsEmpty());
}

TEST_P(BrokerKeyed, ItsRowIsThereEvenIfNobodyIsOwedIt) {
  world_->commits_by_itself = false;
  publish();
  EXPECT_THAT(world_->settled, IsEmpty()) << "the answer waits for the row";
  world_->commit();
  ASSERT_THAT(world_->settled, SizeIs(1));
  EXPECT_EQ(world_->settled[0].message_id, id_);
  EXPECT_TRUE(is_stored());
  EXPECT_THAT(world_->storage.provisional, IsEmpty());
}

/// The only one who would get it is away, on the same shard or another, and has no room left.
TEST_P(BrokerKeyed, NothingSaysThatARefusedOneWasPublished) {
  Limits limits;
  limits.max_queued_messages = 1;
  for (const std::string& app : apps_) {
    world_ = std::make_unique<World>(GetParam(), limits);
    Client& away = world_->connect(app, {.clean = false, .version = Version::V5, .expiry_s = 3600});
    world_->subscribe(away, "a", Qos::AtLeastOnce);
    world_->drop(away);
    world_->shard(0).publish({.topic = "a", .payload = "fills it", .qos = Qos::AtLeastOnce}, 6, world_->now);
    world_->settle();
    publish();
    ASSERT_THAT(world_->settled, SizeIs(2));
    EXPECT_EQ(world_->settled[1].reason, ReasonCode::QuotaExceeded);
    world_->crash(0);
    EXPECT_FALSE(is_stored()) << app;
  }
}

/// Killed after every number of commits, with and without one more on the disk whose answer is lost.
TEST_P(BrokerKeyed, RepeatedAfterAKillEverybodyHasItOnce) {
  for (std::size_t commits = 0; commits < 30; ++commits) {
    for (const std::size_t unheard : {0U, 1U}) {
      SCOPED_TRACE(testing::Message() << commits << " commits, and " << unheard << " unheard");
      world_ = std::make_unique<World>(GetParam());
      subscribe();
      world_->commits_by_itself = false;
      publish();
      for (std::size_t i = 0; i < commits; ++i) world_->commit(1);
      const bool was_answered = !world_->settled.empty();
      world_->crash(unheard);
      EXPECT_TRUE(is_stored() || !was_answered);
      world_->commits_by_itself = true;
      world_->settle();
      if (!is_stored()) publish();
      connect_all();
      world_->advance(10ms);
      for (const std::string& app : apps_) EXPECT_THAT(world_->client(app).taken, ElementsAre("x")) << app;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shards, BrokerKeyed, testing::Values(1U, 2U, 4U));

}  // namespace
}  // namespace wake::test
