#include "config/address.hpp"

#include <gtest/gtest.h>

namespace wake::config {
namespace {

Address tcp(std::string host, std::uint16_t port) {
  return {.host = std::move(host), .port = port, .unix_path = {}};
}

TEST(Address, IsHostAndPort) {
  EXPECT_EQ(parse_address("0.0.0.0:1883"), tcp("0.0.0.0", 1883));
  EXPECT_EQ(parse_address("localhost:0"), tcp("localhost", 0));
  EXPECT_EQ(parse_address("[::1]:65535"), tcp("::1", 65535));
}

TEST(Address, WithoutHostIsEveryAddress) { EXPECT_EQ(parse_address(":1883"), tcp("", 1883)); }

TEST(Address, IsAUnixSocket) {
  EXPECT_EQ(parse_address("unix:/run/wakemq/mqtt.sock"),
            (Address{.host = {}, .port = 0, .unix_path = "/run/wakemq/mqtt.sock"}));
}

TEST(Address, RefusesWhatIsNone) {
  for (const char* text :
       {"", "1883", "localhost", "localhost:", "localhost:65536", "localhost:-1", "a b:1", "::1:1883",
        "[1883", "[]:1883", "[host]:1883", "unix:", "unix:relative", "unix:/dir/", "mqtt://h:1"}) {
    EXPECT_EQ(parse_address(text), std::nullopt) << text;
  }
}

TEST(Address, UnixPathFitsTheSocketAddress) {
  const std::string longest = "/" + std::string(106, 'p');
  EXPECT_TRUE(parse_address("unix:" + longest));
  EXPECT_FALSE(parse_address("unix:" + longest + "p"));
}

}  // namespace
}  // namespace wake::config
