#include "broker-core/delivery/publisher_wishes.hpp"

#include <gtest/gtest.h>

#include "broker-core/packet/publish_properties.hpp"

namespace wake::broker {
namespace {

MessageRecord asking(std::initializer_list<std::pair<const char*, const char*>> wishes) {
  MessageRecord message;
  for (const auto& [name, value] : wishes) append_user_property(message.properties, name, value);
  return message;
}

const auto kEntry = [] {
  auto entry = std::make_shared<EntryRecord>();
  entry->push.title = "Front door";
  entry->push.ttl_s = 60;
  return std::shared_ptr<const EntryRecord>(entry);
}();

TEST(PublisherWishes, GoBeforeTheEntrysPolicy) {
  const auto wished = with_wishes(kEntry, asking({{"wake-title", "Fire"},
                                                  {"wake-body", "leave now"},
                                                  {"wake-priority", "normal"},
                                                  {"wake-collapse", "alarm"},
                                                  {"wake-ttl", "5"}}));
  EXPECT_EQ(wished->push.title, "Fire");
  EXPECT_EQ(wished->push.body, "leave now");
  EXPECT_FALSE(wished->push.is_high_priority);
  EXPECT_EQ(wished->push.collapse, "alarm");
  EXPECT_EQ(wished->push.ttl_s, 5);
}

TEST(PublisherWishes, NoneLeaveTheEntryItself) {
  EXPECT_EQ(with_wishes(kEntry, asking({})), kEntry);
  EXPECT_EQ(with_wishes(kEntry, asking({{"color", "red"}})), kEntry);
}

TEST(PublisherWishes, WhatIsNotUnderstoodIsPassedOver) {
  const auto wished =
      with_wishes(kEntry, asking({{"wake-ttl", "soon"}, {"wake-ttl", "-1"}, {"wake-priority", "urgent"}}));
  EXPECT_EQ(wished->push, kEntry->push);
}

}  // namespace
}  // namespace wake::broker
