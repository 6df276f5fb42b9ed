#include "gateway/listen/listening_socket.hpp"

#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

namespace wake::gateway {
namespace {

config::Address address_of(const char* text) { return *config::parse_address(text); }

TEST(ListeningSocket, ShardsShareThePortThatTheSystemPicked) {
  const auto endpoints = resolve(address_of("127.0.0.1:0"));
  ASSERT_EQ(endpoints.size(), 1u);
  const auto sockets = listen_on(endpoints.front(), 4).sockets;
  ASSERT_EQ(sockets.size(), 4u);
  std::set<std::string> places;
  for (const FileDescriptor& socket : sockets) places.insert(local_endpoint(socket.get()).text());
  EXPECT_EQ(places.size(), 1u);
  EXPECT_EQ(places.begin()->substr(0, 10), "127.0.0.1:");
}

TEST(ListeningSocket, RefusesAPortThatAnotherGatewayShares) {
  const auto first = listen_on(resolve(address_of("127.0.0.1:0")).front(), 2).sockets;
  const Endpoint taken = local_endpoint(first.front().get());
  try {
    listen_on(taken, 2);
    FAIL() << "two gateways on one port";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find(taken.text()), std::string::npos) << error.what();
  }
}

TEST(ListeningSocket, AnEmptyHostIsEveryAddress) {
  const auto sockets = listen_on(resolve(address_of(":0")).front(), 1).sockets;
  const std::string text = local_endpoint(sockets.front().get()).text();
  EXPECT_TRUE(text.starts_with("[::]:") || text.starts_with("0.0.0.0:")) << text;
}

class UnixSocket : public testing::Test {
 protected:
  UnixSocket() { std::filesystem::remove(path_); }
  ~UnixSocket() override { std::filesystem::remove(path_); }
  const std::string path_ =
      (std::filesystem::temp_directory_path() / ("wake-" + std::to_string(getpid()))).string();
  const Endpoint endpoint_ = resolve(address_of(("unix:" + path_).c_str())).front();
};

TEST_F(UnixSocket, ALeftOverIsReplacedAndALiveOneIsNot) {
  {
    const FileDescriptor killed(::socket(AF_UNIX, SOCK_STREAM, 0));
    const auto* const address = reinterpret_cast<const sockaddr*>(&endpoint_.address);
    ASSERT_EQ(::bind(killed.get(), address, endpoint_.length), 0);
  }
  ASSERT_TRUE(std::filesystem::exists(path_));
  const Listening alive = listen_on(endpoint_, 3);
  EXPECT_EQ(alive.sockets.size(), 1u);
  EXPECT_THROW(listen_on(endpoint_, 3), std::runtime_error);
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(UnixSocket, AFileThatIsNoSocketIsNotTouched) {
  std::ofstream(path_) << "precious";
  EXPECT_THROW(listen_on(endpoint_, 1), std::runtime_error);
  EXPECT_EQ(std::filesystem::file_size(path_), 8u);
}

TEST_F(UnixSocket, ItsFileHasTheModeAndGoesWithIt) {
  {
    const Listening listening = listen_on(endpoint_, 1, 0600);
    EXPECT_EQ(std::filesystem::status(path_).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixSocket, AFileThatReplacedItStays) {
  {
    const Listening old = listen_on(endpoint_, 1);
    std::filesystem::remove(path_);
    std::ofstream(path_) << "of somebody else";
  }
  EXPECT_TRUE(std::filesystem::exists(path_));
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
