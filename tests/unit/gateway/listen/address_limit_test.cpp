#include "gateway/listen/address_limit.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace wake::gateway {
namespace {

TEST(AddressLimit, OneAddressHasOnlySoMany) {
  AddressLimit limit(2);
  auto first = limit.claim("192.0.2.1");
  auto second = limit.claim("192.0.2.1");
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(limit.claim("192.0.2.1"));
  EXPECT_TRUE(limit.claim("192.0.2.2")) << "another address";
  EXPECT_EQ(limit.refused(), 1u);
  second.reset();
  EXPECT_TRUE(limit.claim("192.0.2.1"));
}

TEST(AddressLimit, AnIpv6PeerIsItsNetwork) {
  EXPECT_EQ(counted_as("[2001:db8:1:2:3:4:5:6]"), "2001:db8:1:2::/64");
  EXPECT_EQ(counted_as("2001:db8:1:2::ffff"), "2001:db8:1:2::/64");
  EXPECT_EQ(counted_as("2001:db8:1:3::ffff"), "2001:db8:1:3::/64");
  AddressLimit limit(1);
  const auto first = limit.claim("[2001:db8::1]");
  EXPECT_TRUE(first);
  EXPECT_FALSE(limit.claim("[2001:db8::2]")) << "the same household";
  EXPECT_TRUE(limit.claim("[2001:db8:0:1::1]")) << "its neighbour";
}

TEST(AddressLimit, Ipv4InIpv6IsThatIpv4) { EXPECT_EQ(counted_as("::ffff:192.0.2.1"), "192.0.2.1"); }

TEST(AddressLimit, WhatHasNoAddressIsNotCounted) {
  AddressLimit limit(1);
  const auto first = limit.claim("unix");
  const auto second = limit.claim("unix");
  EXPECT_TRUE(first && second);
}

TEST(AddressLimit, WithoutALimitAnAddressMayHaveAll) {
  AddressLimit limit(0);
  std::vector<AddressLimit::Share> shares;
  for (int i = 0; i < 10; ++i) {
    auto share = limit.claim("192.0.2.1");
    ASSERT_TRUE(share);
    shares.push_back(std::move(*share));
  }
}

TEST(AddressLimit, AMovedShareIsGivenBackOnce) {
  AddressLimit limit(1);
  AddressLimit::Share kept;
  {
    auto share = limit.claim("192.0.2.1");
    kept = std::move(*share);
  }
  EXPECT_FALSE(limit.claim("192.0.2.1"));
  kept = {};
  EXPECT_TRUE(limit.claim("192.0.2.1"));
}

}  // namespace
}  // namespace wake::gateway
