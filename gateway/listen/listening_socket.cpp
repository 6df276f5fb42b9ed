#include "gateway/listen/listening_socket.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace wake::gateway {

namespace {

constexpr int kBacklog = 4096;

const sockaddr* generic(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

[[noreturn]] void fail(const Endpoint& endpoint, int error) {
  std::string hint;
  if (error == EADDRINUSE) hint = "; another process listens there: stop it or change [[listener]] address";
  if (error == EACCES) hint = "; this user may not: ports below 1024 need CAP_NET_BIND_SERVICE";
  if (error == EADDRNOTAVAIL) hint = "; this machine has no such address";
  throw std::runtime_error("cannot listen on " + endpoint.text() + ": " + std::strerror(error) + hint);
}

FileDescriptor open_bound(const Endpoint& endpoint, bool shares_port) {
  FileDescriptor fd(::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  const int off = 0;
  if (!fd.is_open()) fail(endpoint, errno);
  if (!endpoint.is_unix()) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (shares_port) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  }
  if (endpoint.address.ss_family == AF_INET6) {
    const bool is_any =
        IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6&>(endpoint.address).sin6_addr);
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, is_any ? &off : &on, sizeof on);
  }
  if (::bind(fd.get(), generic(endpoint.address), endpoint.length) != 0) fail(endpoint, errno);
  if (::listen(fd.get(), kBacklog) != 0) fail(endpoint, errno);
  return fd;
}

Endpoint unix_endpoint(const std::string& path) {
  Endpoint endpoint;
  auto& address = reinterpret_cast<sockaddr_un&>(endpoint.address);
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  endpoint.length = sizeof address;
  return endpoint;
}

bool has_ipv6() { return FileDescriptor(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)).is_open(); }

Endpoint any_endpoint(std::uint16_t port) {
  Endpoint endpoint;
  if (has_ipv6()) {
    auto& address = reinterpret_cast<sockaddr_in6&>(endpoint.address);
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    endpoint.length = sizeof address;
  } else {
    auto& address = reinterpret_cast<sockaddr_in&>(endpoint.address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    endpoint.length = sizeof address;
  }
  return endpoint;
}

/// A socket file that nobody listens on is a leftover of a killed process.
void remove_stale(const Endpoint& endpoint) {
  const auto& address = reinterpret_cast<const sockaddr_un&>(endpoint.address);
  const FileDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(probe.get(), generic(endpoint.address), endpoint.length) != 0 && errno == ECONNREFUSED) {
    ::unlink(address.sun_path);
  }
}

}  // namespace

std::string Endpoint::text() const {
  if (is_unix()) return std::string("unix:") + reinterpret_cast<const sockaddr_un&>(address).sun_path;
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      ::inet_ntop(AF_INET, v6.sin6_addr.s6_addr + 12, text, sizeof text);
      return std::string(text) + ":" + std::to_string(ntohs(v6.sin6_port));
    }
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
  ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
  return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
}

std::vector<Endpoint> resolve(const config::Address& address) {
  if (!address.unix_path.empty()) return {unix_endpoint(address.unix_path)};
  if (address.host.empty()) return {any_endpoint(address.port)};
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  if (const int error = ::getaddrinfo(address.host.c_str(), port.c_str(), &wanted, &found); error != 0) {
    throw std::runtime_error("cannot listen on " + address.host + ":" + port + ": " + ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  std::vector<Endpoint> endpoints;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    endpoints.push_back(
        peer_endpoint(reinterpret_cast<const sockaddr_storage&>(*one->ai_addr), one->ai_addrlen));
  }
  return endpoints;
}

std::vector<FileDescriptor> listen_on(const Endpoint& endpoint, unsigned shard_count) {
  std::vector<FileDescriptor> sockets;
  if (endpoint.is_unix()) {
    remove_stale(endpoint);
    sockets.push_back(open_bound(endpoint, false));
    return sockets;
  }
  // With SO_REUSEPORT alone a second gateway would silently take half of the connections: ask first without
  // it.
  Endpoint shared = local_endpoint(open_bound(endpoint, false).get());
  for (unsigned k = 0; k < shard_count; ++k) sockets.push_back(open_bound(shared, true));
  return sockets;
}

Endpoint local_endpoint(int fd) {
  Endpoint endpoint;
  endpoint.length = sizeof endpoint.address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&endpoint.address), &endpoint.length);
  return endpoint;
}

Endpoint peer_endpoint(const sockaddr_storage& address, socklen_t length) {
  Endpoint endpoint;
  std::memcpy(&endpoint.address, &address, std::min<std::size_t>(length, sizeof endpoint.address));
  endpoint.length = length;
  return endpoint;
}

}  // namespace wake::gateway
