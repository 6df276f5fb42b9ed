// The topic cache on the shard: a change of it reaches open phones, a phone's own SUBSCRIBE and UNSUBSCRIBE
// change it, and an entry is of use only while something permits it (contract §6, §7).
#include <gmock/gmock.h>

#include "tests/support/phone_story.hpp"

namespace wake::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kChanged = R"({"type":"topics_changed"})";
constexpr const char* kFilter = "/zavio/+/+/CAM1/#";  // alice's entry

/// alice, after `change` of her record.
template <class Change>
UserRecordPtr changed(const Change& change) {
  UserRecord user = *alice(PushMode::Fallback, 2);
  change(user);
  return std::make_shared<const UserRecord>(std::move(user));
}

UserRecordPtr titled(const char* title) {
  return changed([&](UserRecord& user) {
    EntryRecord entry = *user.entries[0];
    entry.title = title;
    user.entries[0] = std::make_shared<const EntryRecord>(std::move(entry));
  });
}

/// alice as she was read from storage, with her entry on or off.
UserRecordPtr read_at(SteadyTime when, bool is_subscribed) {
  return changed([&](UserRecord& user) {
    EntryRecord entry = *user.entries[0];
    entry.subscribed = is_subscribed;
    user.entries[0] = std::make_shared<const EntryRecord>(std::move(entry));
    user.read_at = when;
  });
}

/// alice with an entry of news/#, which no pairing of hers covers.
UserRecordPtr with_news(std::vector<std::string> rules, bool is_granted = false) {
  return changed([&](UserRecord& user) {
    EntryRecord entry;
    entry.id = {4};
    entry.filter = "news/#";
    entry.is_granted = is_granted;
    user.entries.push_back(std::make_shared<const EntryRecord>(std::move(entry)));
    user.read_rules = std::move(rules);
  });
}

class BrokerTopicCache : public testing::Test {
 protected:
  BrokerTopicCache() { world_.apply_user(alice(PushMode::Fallback, 2)); }
  Client& open(const char* id) { return world_.connect(id, {.clean = false}); }
  void unsubscribe(Client& client, std::string_view filter) {
    world_.send(client, Unsubscribe{.packet_id = {9}, .filters = {filter}, .user_properties = {}});
    world_.settle();
  }
  void publish_news() {
    Client& back_end = world_.client("back-end");
    if (!back_end.is_connected) world_.connect("back-end");
    world_.publish(back_end, "news/1", "news", Qos::AtLeastOnce);
  }
  World world_;
};

TEST_F(BrokerTopicCache, AChangeIsToldToOpenPhonesOnce) {
  Client& one = open("phone1");
  Client& two = open("phone2");
  world_.apply_user(titled("Front door"));
  world_.apply_user(titled("Front door"));  // heard again, from PostgreSQL's notice
  EXPECT_THAT(one.payloads(), ElementsAre(kChanged));
  EXPECT_THAT(two.payloads(), ElementsAre(kChanged));
  EXPECT_THAT(world_.notified, IsEmpty());
}

TEST_F(BrokerTopicCache, EntriesThatGoWithADeviceAreNoNews) {
  Client& phone = open("phone1");
  world_.apply_user(changed([](UserRecord& user) {
    user.entries.clear();
    user.device_ids.clear();
  }));
  EXPECT_THAT(phone.payloads(), IsEmpty()) << "unpaired says so";
}

TEST_F(BrokerTopicCache, AClosedPhoneIsNotToldOfAChange) {
  world_.apply_user(titled("Front door"));
  EXPECT_THAT(open("phone1").payloads(), IsEmpty());
}

TEST_F(BrokerTopicCache, AnUnsubscribeOfAnEntrySwitchesItOffOnAllPhones) {
  Client& one = open("phone1");
  Client& two = open("phone2");
  unsubscribe(one, kFilter);
  ASSERT_THAT(world_.storage.switched, SizeIs(1));
  EXPECT_EQ(world_.storage.switched[0].filter, kFilter);
  EXPECT_FALSE(world_.storage.switched[0].is_subscribed);
  camera_sends(world_, "ding");
  EXPECT_THAT(one.payloads(), ElementsAre(kChanged));
  EXPECT_THAT(two.payloads(), ElementsAre(kChanged));
  EXPECT_THAT(world_.notified, IsEmpty());
}

TEST_F(BrokerTopicCache, ASubscribeSwitchesItOnAgainAndIsStoredOnce) {
  Client& phone = open("phone1");
  unsubscribe(phone, kFilter);
  world_.subscribe(phone, kFilter, Qos::AtLeastOnce);
  world_.subscribe(phone, kFilter, Qos::AtLeastOnce);
  ASSERT_THAT(world_.storage.switched, SizeIs(2));
  EXPECT_TRUE(world_.storage.switched[1].is_subscribed);
}

TEST_F(BrokerTopicCache, ARecordReadBeforeASwitchWasStoredDoesNotUndoIt) {
  Client& phone = open("phone1");
  world_.commits_by_itself = false;
  const SteadyTime before = world_.now.steady;
  world_.advance(1ms);
  unsubscribe(phone, kFilter);
  world_.apply_user(read_at(before, true));
  world_.commit();
  world_.apply_user(read_at(before, true));  // and one that was still on its way
  camera_sends(world_, "ding");
  EXPECT_THAT(phone.payloads(), ElementsAre(kChanged));
}

TEST_F(BrokerTopicCache, ARecordReadAfterASwitchWasStoredIsTheTruth) {
  Client& phone = open("phone1");
  unsubscribe(phone, kFilter);
  world_.advance(1ms);
  world_.apply_user(read_at(world_.now.steady, true));  // somebody else has switched it on again
  camera_sends(world_, "ding");
  EXPECT_THAT(phone.payloads(), ElementsAre(kChanged, kChanged, "ding"));
}

TEST_F(BrokerTopicCache, OfSeveralSwitchesTheLastStands) {
  Client& phone = open("phone1");
  world_.commits_by_itself = false;
  unsubscribe(phone, kFilter);
  world_.subscribe(phone, kFilter, Qos::AtLeastOnce);
  world_.commit(1);
  world_.apply_user(read_at(world_.now.steady - 1ms, false));
  camera_sends(world_, "ding");
  EXPECT_THAT(phone.payloads(), ElementsAre(kChanged, kChanged, "ding"));
}

TEST_F(BrokerTopicCache, WhereARecordContradictsASwitchTheUserIsReadOnceMoreWhenItIsStored) {
  Client& phone = open("phone1");
  world_.commits_by_itself = false;
  unsubscribe(phone, kFilter);
  world_.apply_user(read_at(world_.now.steady - 1ms, true));
  EXPECT_THAT(world_.asked_users, IsEmpty()) << "storage cannot know it yet";
  world_.commit();
  EXPECT_THAT(world_.asked_users, ElementsAre(UserId{7}));
}

TEST_F(BrokerTopicCache, ASwitchThatStorageRefusesIsTakenBack) {
  Client& phone = open("phone1");
  world_.commits_by_itself = false;
  unsubscribe(phone, kFilter);
  world_.storage_refuses = true;
  world_.commit();
  EXPECT_THAT(world_.asked_users, ElementsAre(UserId{7}));
  world_.apply_user(read_at(world_.now.steady - 1ms, true));
  camera_sends(world_, "ding");
  EXPECT_THAT(phone.payloads(), ElementsAre(kChanged, kChanged, "ding"));
}

TEST_F(BrokerTopicCache, AnEntryStandsOnARule) {
  world_.apply_user(with_news({"news/#"}));
  Client& phone = open("phone1");
  publish_news();
  EXPECT_THAT(phone.payloads(), ElementsAre("news"));
  world_.apply_user(with_news({}));
  publish_news();
  EXPECT_THAT(phone.payloads(), ElementsAre("news")) << "and falls with it";
}

TEST_F(BrokerTopicCache, ARuleWithTheNamesOfUserAndClient) {
  world_.apply_user(with_news({"%u/#", "other/%c"}));
  Client& phone = open("phone1");
  publish_news();
  EXPECT_THAT(phone.payloads(), IsEmpty());
}

TEST_F(BrokerTopicCache, WhatABackEndGaveNeedsNoRule) {
  world_.apply_user(with_news({}, true));
  Client& phone = open("phone1");
  publish_news();
  EXPECT_THAT(phone.payloads(), ElementsAre("news"));
}

}  // namespace
}  // namespace wake::test
