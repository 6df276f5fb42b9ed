// TLS listener and its connections: ALPN picks the protocol, requests go up, replies come down. One thread,
// the one that runs the io_context; nothing here is locked.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tests/sim/certificate.hpp"
#include "tests/sim/exchange.hpp"
#include "tests/sim/settings.hpp"

namespace boost::asio {
class io_context;
}

namespace wake::sim {

class ServerEvents {
 public:
  virtual ~ServerEvents() = default;
  virtual void on_open(ConnectionId) = 0;
  virtual void on_close(ConnectionId) = 0;
  virtual void on_request(Request) = 0;
  virtual std::uint32_t stream_limit(ConnectionId) const = 0;
};

struct Listen {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one
  bool http1 = false;      // also take clients without h2
};

class Server {
 public:
  /// `settings` and `events` outlive the server. Throws boost::system::system_error when it cannot listen.
  Server(boost::asio::io_context&, const Listen&, const ServerCertificate&, const Settings& settings,
         ServerEvents&);
  ~Server();
  std::uint16_t port() const;

  /// Stops listening and closes every connection; `up` listens again on the same port.
  void down();
  void up();
  /// Closes every connection (TCP reset), goes on listening.
  void drop();
  /// Every open connection goes quiet and stays open, as when a NAT forgot it. New ones work.
  void freeze();
  /// GOAWAY on every connection: the oldest `keep` waiting streams are still answered, those above were never
  /// seen.
  void go_away(const std::string& reason, std::size_t keep);
  /// Sends SETTINGS where the wanted limit differs from the one last sent.
  void update_stream_limits();

  // One connection. All are without effect when it is gone.
  bool waits(ConnectionId, std::int32_t stream) const;
  void respond(ConnectionId, std::int32_t stream, Reply);
  void reset(ConnectionId, std::int32_t stream, std::uint32_t code);
  void close(ConnectionId);
  void freeze(ConnectionId);
  void go_away(ConnectionId, std::int32_t last_stream, const std::string& reason);
  void update_stream_limit(ConnectionId);

  std::size_t connections() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wake::sim
