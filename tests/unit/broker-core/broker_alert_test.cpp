// What the gateway itself tells a phone: $wake/events, else by push (contract §6, §7).
#include <gmock/gmock.h>

#include "broker-core/packet/publish_properties.hpp"
#include "tests/support/phone_story.hpp"

namespace wake::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kEvent = R"({"type":"paired"})";

class BrokerAlert : public testing::Test {
 protected:
  BrokerAlert() { world_.apply_user(alice()); }
  /// Without an entry: events ring by none of hers.
  static UserRecordPtr alice() {
    UserRecord user = *test::alice();
    user.entries.clear();
    user.device_ids.clear();
    return std::make_shared<const UserRecord>(std::move(user));
  }
  void tell(const char* client_id = "phone1") {
    MessageRecord event;
    event.topic = "$wake/events";
    event.payload = kEvent;
    append_user_property(event.properties, "wake-title", "Front door");
    append_user_property(event.properties, "wake-body", "is paired");
    world_.home_of(client_id).send_alert({client_id}, event, {7}, 9, world_.now);
    world_.settle();
  }
  Client& open_app(bool acks = true) { return test::open_app(world_, acks); }
  World world_;
};

TEST_F(BrokerAlert, AnOpenAppGetsItByMqttAndIsNotWoken) {
  Client& phone = open_app();
  tell();
  world_.advance(1min);
  EXPECT_THAT(phone.payloads(), ElementsAre(kEvent));
  EXPECT_THAT(world_.notified, IsEmpty());
  EXPECT_EQ(world_.storage.outbox.begin()->second.state, "cancelled");
}

TEST_F(BrokerAlert, ItsRowGoesWithTheCommitThatBringsIt) {
  world_.home_of("phone1").send_alert({"phone1"}, {}, {8}, 9, world_.now);
  const Persist batch = world_.home_of("phone1").take_persist();
  EXPECT_THAT(batch.alerts_told, ElementsAre(AlertId{8}));
  EXPECT_THAT(batch.queue, SizeIs(1));
  EXPECT_THAT(batch.outbox, SizeIs(1));
}

TEST_F(BrokerAlert, ItsRowStaysWhenNobodysPhoneIsThere) {
  tell("nobodys");
  EXPECT_THAT(world_.storage.alerts_told, IsEmpty());
}

TEST_F(BrokerAlert, AClosedAppIsWokenByItAndFindsItOnceWhenItReturns) {
  tell();
  ASSERT_THAT(world_.notified, SizeIs(1));
  EXPECT_EQ(world_.notified[0].entry->push.title, "Front door");
  EXPECT_EQ(world_.notified[0].entry->push.body, "is paired");
  EXPECT_EQ(world_.notified[0].message->payload, kEvent);
  EXPECT_THAT(open_app().payloads(), ElementsAre(kEvent));
  world_.advance(1min);
  EXPECT_THAT(world_.notified, SizeIs(1));
  EXPECT_THAT(world_.storage.inbox, IsEmpty()) << "it is no message of the user's";
}

TEST_F(BrokerAlert, AnAppThatNeverAcknowledgesIsWokenAfterAckTimeout) {
  open_app(false);
  tell();
  world_.advance(9900ms);
  EXPECT_THAT(world_.notified, IsEmpty());
  world_.advance(200ms);
  EXPECT_THAT(world_.notified, SizeIs(1));
}

TEST_F(BrokerAlert, IsSettledWhenItIsStoredAndNotBefore) {
  world_.commits_by_itself = false;
  tell();
  EXPECT_THAT(world_.settled, IsEmpty());
  EXPECT_THAT(world_.notified, IsEmpty());
  world_.commit();
  ASSERT_THAT(world_.settled, SizeIs(1));
  EXPECT_EQ(world_.settled[0].ticket, 9u);
  EXPECT_THAT(world_.notified, SizeIs(1));
}

TEST_F(BrokerAlert, OfNobodysPhoneIsSettledAtOnce) {
  tell("gone");
  EXPECT_THAT(world_.settled, SizeIs(1));
  EXPECT_THAT(world_.storage.messages, IsEmpty());
}

TEST_F(BrokerAlert, AfterACrashTheOutboxStillRingsByIt) {
  open_app(false);
  tell();
  world_.crash(0);
  world_.advance(11s);
  world_.claim_outbox();
  ASSERT_THAT(world_.notified, SizeIs(1));
  EXPECT_EQ(world_.notified[0].entry->push.title, "Front door");
}

TEST_F(BrokerAlert, IsNotEndedByAChangeOfTheTopicCache) {
  open_app(false);
  tell();
  auto user = std::make_shared<UserRecord>(*alice());
  auto entry = std::make_shared<EntryRecord>();
  entry->id = {3};
  entry->filter = "a/CAM1";
  user->entries = {entry};
  world_.apply_user(user);
  world_.apply_user(alice());
  world_.advance(11s);
  EXPECT_THAT(world_.notified, SizeIs(1));
}

}  // namespace
}  // namespace wake::test
