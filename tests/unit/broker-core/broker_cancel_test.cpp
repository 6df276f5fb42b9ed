// A message acknowledged before its push left cancels the push, wherever it waits (contract §2.4).
#include <gmock/gmock.h>

#include "tests/support/phone_story.hpp"

namespace wake::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class BrokerCancel : public testing::Test {
 protected:
  void add_alice(PushMode mode = PushMode::Fallback) { world_.apply_user(alice(mode)); }
  void camera_sends(const std::string& payload) { test::camera_sends(world_, payload); }
  Client& open_app(bool acks = true) { return test::open_app(world_, acks); }
  void acknowledge_over_rest() {
    const MessageId id = world_.storage.inbox.begin()->second;
    world_.home_of("phone1").acknowledge_inbox({7}, {id}, world_.now);
    world_.settle();
  }
  /// As the dispatcher gives it back: for a later try, or at a stop.
  void give_back() { world_.storage.outbox.begin()->second.state = "pending"; }
  std::string state() { return world_.storage.outbox.begin()->second.state; }
  World world_;
};

TEST_F(BrokerCancel, AnAcknowledgementOverRestCancelsWhatHasNotLeft) {
  add_alice();
  open_app(false);
  camera_sends("moved");
  acknowledge_over_rest();
  world_.advance(1min);
  EXPECT_THAT(world_.notified, IsEmpty());
  EXPECT_EQ(state(), "cancelled");
}

TEST_F(BrokerCancel, AnAcknowledgementCancelsWhatWaitsInTheOutbox) {
  add_alice();
  camera_sends("moved");
  ASSERT_THAT(world_.notified, SizeIs(1));
  give_back();
  open_app();
  world_.advance(1s);
  EXPECT_EQ(state(), "cancelled");
  EXPECT_THAT(world_.cancelled, SizeIs(1)) << "or the dispatcher lets the next one wait for it";
}

TEST_F(BrokerCancel, AnAcknowledgementOverRestCancelsWhatWaitsInTheOutbox) {
  add_alice();
  camera_sends("moved");
  give_back();
  acknowledge_over_rest();
  EXPECT_EQ(state(), "cancelled");
}

TEST_F(BrokerCancel, AnAcknowledgementOfWhatRingsNobodyCancelsNothing) {
  add_alice(PushMode::Never);
  Client& phone = open_app();
  camera_sends("moved");
  EXPECT_THAT(phone.payloads(), ElementsAre("moved"));
  EXPECT_THAT(world_.cancelled, IsEmpty());
}

}  // namespace
}  // namespace wake::test
