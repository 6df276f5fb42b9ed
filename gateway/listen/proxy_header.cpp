//   v1   "PROXY TCP4 192.0.2.1 192.0.2.2 40000 1883\r\n"   or TCP6, or "PROXY UNKNOWN …\r\n"
//   v2   12 bytes of signature | version<<4 | command | family<<4 | transport | length (2) | addresses | TLVs
//        a TLV: type | length (2) | value.  Numbers are big-endian.
#include "gateway/listen/proxy_header.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include <arpa/inet.h>
#include <sys/socket.h>

namespace wake::gateway {

namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view kPrefix = "PROXY ";
constexpr std::size_t kMaxLine = 107;
constexpr std::size_t kShortest = 15;  // "PROXY UNKNOWN\r\n"; of version 2 it is 16
constexpr std::size_t kFixed = 16;     // of version 2, before the addresses

constexpr std::uint8_t kLocal = 0x20;  // version 2, command LOCAL
constexpr std::uint8_t kProxy = 0x21;
constexpr std::uint8_t kFamilyInet = 0x1;
constexpr std::uint8_t kFamilyInet6 = 0x2;
constexpr std::uint8_t kFamilyUnix = 0x3;
constexpr std::uint8_t kTlvSsl = 0x20;
constexpr std::uint8_t kTlvSslCommonName = 0x22;
constexpr std::size_t kSslFixed = 5;                    // client (1), verify (4)
constexpr std::uint8_t kClientShowedCertificate = 0x6;  // on this connection or in this session

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::uint8_t at(std::string_view text, std::size_t index) { return static_cast<std::uint8_t>(text[index]); }

std::size_t two_bytes(std::string_view text, std::size_t index) {
  return static_cast<std::size_t>(at(text, index)) << 8 | at(text, index + 1);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool is_port = error == std::errc{} && end == text.data() + text.size();
  return is_port ? std::optional(port) : std::nullopt;
}

/// "host:port" as listening_socket.hpp writes it.
std::string endpoint_text(int family, const void* address, std::uint16_t port) {
  std::array<char, INET6_ADDRSTRLEN> host{};
  ::inet_ntop(family, address, host.data(), host.size());
  const std::string text(host.data());
  return (family == AF_INET6 ? "[" + text + "]" : text) + ":" + std::to_string(port);
}

/// Takes one field off the front of `rest`: up to a blank, which must be there unless it is the last.
std::string_view take_field(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view field = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return field;
}

ProxyResult parse_line(std::string_view in) {
  const std::size_t end = in.substr(0, kMaxLine).find("\r\n");
  if (end == std::string_view::npos) {
    if (in.size() >= kMaxLine) return ProxyRefusal{"a version 1 header over 107 bytes"};
    return ProxyNeedsMore{in.ends_with('\r') ? std::size_t{1} : std::size_t{2}};
  }
  std::string_view rest = in.substr(kPrefix.size(), end - kPrefix.size());
  ProxyHeader header;
  header.bytes = end + 2;
  const std::string_view kind = take_field(rest);
  if (kind == "UNKNOWN") return header;
  if (kind != "TCP4" && kind != "TCP6") return ProxyRefusal{"neither TCP4, TCP6 nor UNKNOWN"};
  const int family = kind == "TCP4" ? AF_INET : AF_INET6;
  const std::string source(take_field(rest));
  const std::string destination(take_field(rest));
  const auto source_port = parse_port(take_field(rest));
  const auto destination_port = parse_port(rest);
  std::array<unsigned char, sizeof(in6_addr)> address{};
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  if (::inet_pton(family, destination.c_str(), ignored.data()) != 1 ||
      ::inet_pton(family, source.c_str(), address.data()) != 1)
    return ProxyRefusal{"an address that is none"};
  if (!source_port || !destination_port) return ProxyRefusal{"a port that is none"};
  header.address = endpoint_text(family, address.data(), *source_port);
  return header;
}

/// The common name in an SSL TLV whose certificate the proxy has verified.
std::string common_name(std::string_view ssl) {
  const bool is_verified = ssl.size() >= kSslFixed && (at(ssl, 0) & kClientShowedCertificate) != 0 &&
                           ssl.substr(1, 4) == std::string_view("\0\0\0\0", 4);
  if (!is_verified) return {};
  for (std::string_view rest = ssl.substr(kSslFixed); rest.size() >= 3;) {
    const std::size_t length = std::min(two_bytes(rest, 1), rest.size() - 3);
    if (at(rest, 0) == kTlvSslCommonName) return std::string(rest.substr(3, length));
    rest.remove_prefix(3 + length);
  }
  return {};
}

/// False: they do not fill the header.
bool read_extras(std::string_view rest, ProxyHeader& header) {
  while (!rest.empty()) {
    if (rest.size() < 3) return false;
    const std::size_t length = two_bytes(rest, 1);
    if (rest.size() < 3 + length) return false;
    if (at(rest, 0) == kTlvSsl) header.certificate = common_name(rest.substr(3, length));
    rest.remove_prefix(3 + length);
  }
  return true;
}

ProxyResult parse_binary(std::string_view in) {
  if (in.size() < kFixed) return ProxyNeedsMore{kFixed - in.size()};
  const std::uint8_t command = at(in, 12);
  if (command != kLocal && command != kProxy) return ProxyRefusal{"an unknown version or command"};
  const std::size_t length = two_bytes(in, 14);
  if (kFixed + length > kMaxProxyHeader) return ProxyRefusal{"a header over 4096 bytes"};
  if (in.size() < kFixed + length) return ProxyNeedsMore{kFixed + length - in.size()};
  ProxyHeader header;
  header.bytes = kFixed + length;
  // §2.2: of LOCAL, a health check of the proxy itself, everything else is skipped.
  if (command == kLocal) return header;
  const std::string_view body = in.substr(kFixed, length);
  std::size_t address_bytes = 0;
  switch (at(in, 13) >> 4) {
    case kFamilyInet:
      address_bytes = 4 + 4 + 2 + 2;
      if (body.size() < address_bytes) return ProxyRefusal{"shorter than its addresses"};
      header.address = endpoint_text(AF_INET, body.data(), static_cast<std::uint16_t>(two_bytes(body, 8)));
      break;
    case kFamilyInet6:
      address_bytes = 16 + 16 + 2 + 2;
      if (body.size() < address_bytes) return ProxyRefusal{"shorter than its addresses"};
      header.address = endpoint_text(AF_INET6, body.data(), static_cast<std::uint16_t>(two_bytes(body, 32)));
      break;
    case kFamilyUnix:
      address_bytes = 108 + 108;
      if (body.size() < address_bytes) return ProxyRefusal{"shorter than its addresses"};
      break;
    default:
      return header;  // UNSPEC: the rest cannot be told apart
  }
  if (!read_extras(body.substr(address_bytes), header)) return ProxyRefusal{"a TLV longer than the header"};
  return header;
}

}  // namespace

ProxyResult parse_proxy_header(std::span<const std::byte> in) {
  const std::string_view text = text_of(in);
  const auto begins_like = [&](std::string_view start) {
    return text.substr(0, start.size()) == start.substr(0, text.size());
  };
  const bool is_binary = begins_like(kSignature);
  if (!is_binary && !begins_like(kPrefix))
    return ProxyRefusal{"no PROXY header, though proxy_protocol = true: only a proxy may connect here"};
  if (text.size() < kShortest) return ProxyNeedsMore{kShortest - text.size()};
  return is_binary ? parse_binary(text) : parse_line(text);
}

}  // namespace wake::gateway
