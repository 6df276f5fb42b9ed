#include "gateway/listen/listening_socket.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/stat.h>
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
  if (error == EADDRINUSE && endpoint.is_unix())
    hint =
        "; another process listens there, or the file is no socket: remove it or change [[listener]] address";
  if (error == EACCES) hint = "; this user may not: ports below 1024 need CAP_NET_BIND_SERVICE";
  if (error == EADDRNOTAVAIL) hint = "; this machine has no such address";
  throw std::runtime_error("cannot listen on " + endpoint.text() + ": " + std::strerror(error) + hint);
}

const char* path_of(const Endpoint& endpoint) {
  return reinterpret_cast<const sockaddr_un&>(endpoint.address).sun_path;
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
  return fd;
}

FileDescriptor open_listening(const Endpoint& endpoint, bool shares_port) {
  FileDescriptor fd = open_bound(endpoint, shares_port);
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
  struct stat found {};
  if (::lstat(path_of(endpoint), &found) != 0 || !S_ISSOCK(found.st_mode)) return;
  const FileDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(probe.get(), generic(endpoint.address), endpoint.length) != 0 && errno == ECONNREFUSED) {
    ::unlink(path_of(endpoint));
  }
}

}  // namespace

std::string Endpoint::text() const {
  if (is_unix()) return std::string("unix:") + path_of(*this);
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

SocketFile::SocketFile(std::string path) : path_(std::move(path)) {
  struct stat made {};
  ::stat(path_.c_str(), &made);
  device_ = made.st_dev;
  inode_ = made.st_ino;
}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}

SocketFile::~SocketFile() {
  struct stat found {};
  const bool is_ours = !path_.empty() && ::stat(path_.c_str(), &found) == 0 && found.st_dev == device_ &&
                       found.st_ino == inode_;
  if (is_ours) ::unlink(path_.c_str());
}

Listening listen_on(const Endpoint& endpoint, unsigned shard_count, mode_t unix_mode) {
  if (endpoint.is_unix()) {
    remove_stale(endpoint);
    FileDescriptor fd = open_bound(endpoint, false);
    Listening unix_socket{{}, SocketFile(path_of(endpoint))};
    if (::chmod(path_of(endpoint), unix_mode) != 0 || ::listen(fd.get(), kBacklog) != 0)
      fail(endpoint, errno);
    unix_socket.sockets.push_back(std::move(fd));
    return unix_socket;
  }
  // With SO_REUSEPORT alone a second gateway would silently take half of the connections: ask first without
  // it.
  const Endpoint shared = local_endpoint(open_listening(endpoint, false).get());
  Listening tcp;
  for (unsigned k = 0; k < shard_count; ++k) tcp.sockets.push_back(open_listening(shared, true));
  return tcp;
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
