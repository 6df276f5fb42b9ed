#include "gateway/listen/proxy_header.hpp"

#include <gtest/gtest.h>

#include "broker-core/types.hpp"

namespace wake::gateway {
namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view kV4("\xC0\x00\x02\x07\xC6\x33\x64\x01\x9C\x40\x07\x5B", 12);  // 192.0.2.7:40000

std::string binary(std::uint8_t command, std::uint8_t family, std::string_view body) {
  std::string header(kSignature);
  header += static_cast<char>(command);
  header += static_cast<char>(family);
  header += static_cast<char>(body.size() >> 8);
  header += static_cast<char>(body.size() & 0xFF);
  return header.append(body);
}

std::string tlv(std::uint8_t type, std::string_view value) {
  std::string text(1, static_cast<char>(type));
  text += static_cast<char>(value.size() >> 8);
  text += static_cast<char>(value.size() & 0xFF);
  return text.append(value);
}

std::string ssl(std::uint8_t client, std::string_view verify, std::string_view common_name) {
  std::string body(1, static_cast<char>(client));
  return tlv(0x20, body.append(verify).append(tlv(0x21, "TLSv1.3")).append(tlv(0x22, common_name)));
}

ProxyResult parse(std::string_view text) { return parse_proxy_header(broker::as_bytes(text)); }

/// Whole; every truncation waits for more, and never for more than is missing.
ProxyHeader expect_header(const std::string& text) {
  for (std::size_t size = 0; size < text.size(); ++size) {
    const ProxyResult result = parse(std::string_view(text).substr(0, size));
    const auto* more = std::get_if<ProxyNeedsMore>(&result);
    EXPECT_TRUE(more != nullptr && more->bytes >= 1 && more->bytes <= text.size() - size)
        << size << " bytes of " << text.size();
  }
  const ProxyResult result = parse(text + "what the client says");
  const auto* header = std::get_if<ProxyHeader>(&result);
  EXPECT_NE(header, nullptr);
  if (header == nullptr) return {};
  EXPECT_EQ(header->bytes, text.size());
  return *header;
}

bool is_refused(std::string_view text) { return std::holds_alternative<ProxyRefusal>(parse(text)); }

TEST(ProxyHeader, Version1NamesThePeer) {
  EXPECT_EQ(expect_header("PROXY TCP4 192.0.2.7 198.51.100.1 40000 1883\r\n").address, "192.0.2.7:40000");
  EXPECT_EQ(expect_header("PROXY TCP6 2001:db8::7 2001:db8::1 40000 1883\r\n").address,
            "[2001:db8::7]:40000");
  EXPECT_EQ(expect_header("PROXY UNKNOWN\r\n").address, "");
  EXPECT_EQ(expect_header("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n").address, "");
}

TEST(ProxyHeader, Version1MayHave107BytesAndNotMore) {
  const std::string start = "PROXY UNKNOWN ";
  EXPECT_EQ(expect_header(start + std::string(107 - start.size() - 2, 'x') + "\r\n").bytes, 107u);
  EXPECT_TRUE(is_refused(start + std::string(107 - start.size() - 1, 'x') + "\r\n"));
}

TEST(ProxyHeader, Version1RefusesWhatIsNone) {
  for (const char* line : {"PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
                           "PROXY TCP4 1.2.3.4 1.2.3 1 2\r\n", "PROXY TCP4 ::1 1.2.3.4 1 2\r\n",
                           "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
                           "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n", "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
                           "PROXYTCP4 1.2.3.4 1.2.3.4 1 2\r\n"}) {
    EXPECT_TRUE(is_refused(line)) << line;
  }
}

TEST(ProxyHeader, WhatIsNoHeaderIsRefusedAtOnce) {
  EXPECT_TRUE(is_refused("\x10"));
  EXPECT_TRUE(is_refused("G"));
  EXPECT_TRUE(is_refused("\x16\x03\x01"));
  EXPECT_TRUE(is_refused("PRI * HTTP/2.0\r\n"));
  EXPECT_TRUE(is_refused("\r\n\r\nX"));
}

TEST(ProxyHeader, Version2NamesThePeer) {
  EXPECT_EQ(expect_header(binary(0x21, 0x11, kV4)).address, "192.0.2.7:40000");
  std::string v6(36, '\0');
  v6[0] = '\x20';
  v6[1] = '\x01';
  v6[15] = '\x07';
  v6[32] = '\x9C';
  v6[33] = '\x40';
  EXPECT_EQ(expect_header(binary(0x21, 0x21, v6)).address, "[2001::7]:40000");
  EXPECT_EQ(expect_header(binary(0x21, 0x31, std::string(216, 'x'))).address, "");
  EXPECT_EQ(expect_header(binary(0x21, 0x00, "")).address, "");
}

TEST(ProxyHeader, LocalIsTheProxyItself) {
  EXPECT_EQ(expect_header(binary(0x20, 0x00, "")).address, "");
  EXPECT_EQ(expect_header(binary(0x20, 0x11, "whatever")).address, "");
}

TEST(ProxyHeader, ExtrasAreSkipped) {
  const std::string extras = tlv(0x01, "h2") + tlv(0x04, std::string(300, '\0')) + tlv(0x05, "id");
  const ProxyHeader header = expect_header(binary(0x21, 0x11, std::string(kV4) + extras));
  EXPECT_EQ(header.address, "192.0.2.7:40000");
  EXPECT_EQ(header.certificate, "");
}

TEST(ProxyHeader, ACertificateThatTheProxyVerifiedIsNamed) {
  const std::string_view good("\0\0\0\0", 4);
  const std::string_view bad("\0\0\0\x0a", 4);
  EXPECT_EQ(expect_header(binary(0x21, 0x11, std::string(kV4) + ssl(0x07, good, "cam-1"))).certificate,
            "cam-1");
  EXPECT_EQ(expect_header(binary(0x21, 0x11, std::string(kV4) + ssl(0x07, bad, "cam-1"))).certificate, "");
  EXPECT_EQ(expect_header(binary(0x21, 0x11, std::string(kV4) + ssl(0x01, good, "cam-1"))).certificate, "")
      << "TLS without a client certificate";
}

TEST(ProxyHeader, Version2RefusesWhatIsNone) {
  EXPECT_TRUE(is_refused(binary(0x11, 0x11, kV4))) << "version 1 in binary";
  EXPECT_TRUE(is_refused(binary(0x22, 0x11, kV4))) << "an unknown command";
  EXPECT_TRUE(is_refused(binary(0x21, 0x11, kV4.substr(1)))) << "addresses cut off";
  EXPECT_TRUE(is_refused(binary(0x21, 0x11, std::string(kV4) + tlv(0x01, "h2").substr(0, 4))));
  EXPECT_TRUE(is_refused(binary(0x21, 0x11, std::string(kV4) + "\x01")));
  EXPECT_TRUE(is_refused(binary(0x21, 0x11, std::string(kMaxProxyHeader, 'x')).substr(0, 16)))
      << "too long, and told by its length";
}

}  // namespace
}  // namespace wake::gateway
