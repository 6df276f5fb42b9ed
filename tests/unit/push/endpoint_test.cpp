#include "push/endpoint.hpp"

#include <gtest/gtest.h>

namespace wake::push {
namespace {

TEST(Endpoint, IsTakenApart) {
  EXPECT_EQ(parse_endpoint("https://localhost:2197", "https", "443"), (Endpoint{"localhost", "2197"}));
  EXPECT_EQ(parse_endpoint("https://api.push.apple.com/", "https", "443"),
            (Endpoint{"api.push.apple.com", "443"}));
  EXPECT_EQ(parse_endpoint("https://[::1]:8443", "https", "443"), (Endpoint{"::1", "8443"}));
  EXPECT_EQ(parse_endpoint("http://proxy", "http", "8080"), (Endpoint{"proxy", "8080"}));
}

TEST(Endpoint, AnythingElseIsRefused) {
  for (const char* url : {"", "https", "https://", "http://a", "https://a:0", "https://a:65536",
                          "https://a:x", "https://a:", "https://a/path", "https://a:1/path", "https://[::1",
                          "https://[::1]x", "https://u@a", "a:443"}) {
    EXPECT_FALSE(parse_endpoint(url, "https", "443")) << url;
  }
}

TEST(Endpoint, AuthorityHasBracketsAndPort) {
  EXPECT_EQ(authority_of({"api.push.apple.com", "443"}, true), "api.push.apple.com");
  EXPECT_EQ(authority_of({"api.push.apple.com", "443"}, false), "api.push.apple.com:443");
  EXPECT_EQ(authority_of({"::1", "2197"}, true), "[::1]:2197");
}

}  // namespace
}  // namespace wake::push
