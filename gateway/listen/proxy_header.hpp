// The PROXY protocol's header, versions 1 and 2 (HAProxy, doc/proxy-protocol.txt): what a load balancer sends
// before the client's first byte, so that the client's own address is known. Pure: looks at the bytes that
// are there and takes none.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <variant>

namespace wake::gateway {

/// Longest header looked at. Version 1 has 107 bytes at most (§2.1); version 2 leaves room for TLVs, of which
/// none that anybody sends comes near this.
inline constexpr std::size_t kMaxProxyHeader = 4096;

struct ProxyHeader {
  std::size_t bytes = 0;    // of the header; the client's own begin behind it
  std::string address;      // the client's, "host:port"; empty: LOCAL, UNKNOWN or a kind without addresses
  std::string certificate;  // common name of the client's certificate, which the proxy has verified; or empty
};
struct ProxyNeedsMore {
  std::size_t bytes = 1;  // as many certainly belong to the header
};
struct ProxyRefusal {
  const char* why;
};
using ProxyResult = std::variant<ProxyNeedsMore, ProxyHeader, ProxyRefusal>;

/// `in`: all bytes received so far, the first kMaxProxyHeader of them at least. Refuses as early as it can.
ProxyResult parse_proxy_header(std::span<const std::byte> in);

}  // namespace wake::gateway
