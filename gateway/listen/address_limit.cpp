#include "gateway/listen/address_limit.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace wake::gateway {

namespace {
constexpr std::size_t kNetworkBytes = 8;  // of a /64
constexpr std::size_t kMappedPrefix = 12;
}  // namespace

std::string counted_as(std::string host) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return host;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  in6_addr v6{};
  if (::inet_pton(AF_INET6, host.c_str(), &v6) != 1) return {};
  if (IN6_IS_ADDR_V4MAPPED(&v6))
    return ::inet_ntop(AF_INET, v6.s6_addr + kMappedPrefix, text.data(), text.size());
  std::fill(v6.s6_addr + kNetworkBytes, v6.s6_addr + sizeof v6.s6_addr, std::uint8_t{0});
  return std::string(::inet_ntop(AF_INET6, &v6, text.data(), text.size())) + "/64";
}

std::optional<AddressLimit::Share> AddressLimit::claim(const std::string& host) {
  if (max_per_address_ == 0) return Share();
  std::string peer = counted_as(host);
  if (peer.empty()) return Share();
  const std::lock_guard lock(mutex_);
  std::uint32_t& here = by_peer_[peer];
  if (here >= max_per_address_) {
    ++refused_;
    return std::nullopt;
  }
  ++here;
  return Share(*this, std::move(peer));
}

std::uint64_t AddressLimit::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

void AddressLimit::release(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  const auto counted = by_peer_.find(peer);
  if (counted != by_peer_.end() && --counted->second == 0) by_peer_.erase(counted);
}

}  // namespace wake::gateway
