#include "gateway/listen/listening_socket.hpp"

#include <filesystem>
#include <set>

#include <gtest/gtest.h>

namespace wake::gateway {
namespace {

config::Address address_of(const char* text) { return *config::parse_address(text); }

TEST(ListeningSocket, ShardsShareThePortThatTheSystemPicked) {
  const auto endpoints = resolve(address_of("127.0.0.1:0"));
  ASSERT_EQ(endpoints.size(), 1u);
  const auto sockets = listen_on(endpoints.front(), 4);
  ASSERT_EQ(sockets.size(), 4u);
  std::set<std::string> places;
  for (const FileDescriptor& socket : sockets) places.insert(local_endpoint(socket.get()).text());
  EXPECT_EQ(places.size(), 1u);
  EXPECT_EQ(places.begin()->substr(0, 10), "127.0.0.1:");
}

TEST(ListeningSocket, RefusesAPortThatAnotherGatewayShares) {
  const auto first = listen_on(resolve(address_of("127.0.0.1:0")).front(), 2);
  const Endpoint taken = local_endpoint(first.front().get());
  try {
    listen_on(taken, 2);
    FAIL() << "two gateways on one port";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find(taken.text()), std::string::npos) << error.what();
  }
}

TEST(ListeningSocket, AnEmptyHostIsEveryAddress) {
  const auto sockets = listen_on(resolve(address_of(":0")).front(), 1);
  const std::string text = local_endpoint(sockets.front().get()).text();
  EXPECT_TRUE(text.starts_with("[::]:") || text.starts_with("0.0.0.0:")) << text;
}

TEST(ListeningSocket, ALeftOverUnixSocketIsReplacedAndALiveOneIsNot) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("wake-" + std::to_string(getpid()))).string();
  const Endpoint endpoint = resolve(address_of(("unix:" + path).c_str())).front();
  { const auto killed = listen_on(endpoint, 3); }
  ASSERT_TRUE(std::filesystem::exists(path));
  const auto alive = listen_on(endpoint, 3);
  EXPECT_EQ(alive.size(), 1u);
  EXPECT_THROW(listen_on(endpoint, 3), std::runtime_error);
  std::filesystem::remove(path);
}

TEST(ListeningSocket, SaysWhichNameIsUnknown) {
  try {
    resolve(address_of("no-such-host.invalid:1883"));
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("no-such-host.invalid:1883"), std::string::npos);
  }
}

}  // namespace
}  // namespace wake::gateway
