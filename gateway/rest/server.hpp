// The REST listeners: HTTP/1.1 with keep-alive, over TCP, Unix sockets and TLS. One io thread reads and
// writes, so a slow client costs a socket and never a worker; whole requests are handled on worker threads,
// which may block. What is answered to what is in routes.hpp and handlers.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "gateway/rest/options.hpp"
#include "push/log.hpp"

namespace wake::db {
class Pool;
}

namespace wake::gateway {

class Authenticator;
class Port;

class RestServer {
 public:
  /// Keeps references to port, authenticator and pool: they outlive the server. Opens nothing yet.
  RestServer(RestOptions options, Port& port, Authenticator& authenticator, db::Pool& pool,
             push::LogSink log);
  ~RestServer();
  RestServer(const RestServer&) = delete;
  RestServer& operator=(const RestServer&) = delete;

  /// Binds every http and https listener and begins to accept. Throws std::runtime_error naming the listener:
  /// an address that cannot be bound, a certificate that cannot be read. Nothing listens then.
  void start();
  /// The TCP ports that were bound, in the order of the listeners; 0 for a Unix socket. After start().
  std::vector<std::uint16_t> ports() const;
  /// SIGHUP, for connections from now on: certificates and keys, read again as `listeners` name them now, and
  /// allowed_origins. Throws std::runtime_error; the old ones stay in use then.
  void reload(const std::vector<config::ListenerOptions>& listeners);
  /// Takes no more connections, lets answers under way finish for at most 5 s, joins all threads. Safe to
  /// repeat.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wake::gateway
