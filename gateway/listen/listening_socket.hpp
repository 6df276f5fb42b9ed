// From an address of the configuration to listening sockets. Each shard listens on a socket of its own
// (SO_REUSEPORT), so the kernel spreads connections; a Unix socket has one listener only.
#pragma once

#include <string>
#include <vector>

#include <sys/socket.h>
#include <sys/types.h>

#include "config/address.hpp"
#include "gateway/file_descriptor.hpp"

namespace wake::gateway {

/// One place to listen: a socket address and how people write it.
struct Endpoint {
  sockaddr_storage address{};
  socklen_t length = 0;
  bool is_unix() const { return address.ss_family == AF_UNIX; }
  /// "127.0.0.1:1883", "[::1]:1883", "unix:/path".
  std::string text() const;
};

/// All addresses the name stands for; an empty host is every address of both families (one dual-stack socket
/// where IPv6 exists). Blocks on name resolution. Throws std::runtime_error saying which address and why.
std::vector<Endpoint> resolve(const config::Address& address);

/// The file of a Unix socket: removed with the object, if it is still the one that was bound.
class SocketFile {
 public:
  SocketFile() = default;
  /// `path`: just bound.
  explicit SocketFile(std::string path);
  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&&) = delete;
  ~SocketFile();

 private:
  std::string path_;  // empty: none
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

struct Listening {
  std::vector<FileDescriptor> sockets;
  SocketFile file;
};

/// `shard_count` sockets that share the endpoint's port (port 0: the system picks one for all), non-blocking,
/// already listening; one socket when it is a Unix path, whose file gets `unix_mode` before anybody can
/// connect and replaces one that nobody listens on any more. Throws std::runtime_error naming the address and
/// what to do: taken by another process, no right, no such address.
Listening listen_on(const Endpoint& endpoint, unsigned shard_count, mode_t unix_mode = 0660);

/// Where a socket listens, or whom it is connected to.
Endpoint local_endpoint(int fd);
Endpoint peer_endpoint(const sockaddr_storage& address, socklen_t length);

}  // namespace wake::gateway
