// Where a listener listens, taken apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wake::config {

/// Either a TCP address or a Unix socket.
struct Address {
  std::string host;        // name, IPv4 or IPv6 without brackets; empty: all addresses, IPv6 and IPv4
  std::uint16_t port = 0;  // 0: the system picks one (tests)
  std::string unix_path;   // not empty: a Unix socket, the rest is unused
  friend bool operator==(const Address&, const Address&) = default;
};

/// "host:port", "[v6]:port", ":port" or "unix:/path" (absolute, at most 107 bytes: sun_path). Empty: none of
/// these. Looks no name up.
std::optional<Address> parse_address(std::string_view text);

}  // namespace wake::config
