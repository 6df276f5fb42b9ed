// One accepted TCP connection: handshake, then bytes between the socket and its Protocol. Internal to
// server.cpp.
#pragma once

#include <array>
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>

#include "tests/sim/protocol.hpp"
#include "tests/sim/server.hpp"

namespace wake::sim {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  virtual ServerEvents& events() = 0;
  virtual const Settings& settings() const = 0;
  virtual bool http1() const = 0;
  virtual void on_gone(ConnectionId) = 0;  // last call from the connection
};

class Connection final : public std::enable_shared_from_this<Connection>, private ProtocolEvents {
 public:
  Connection(ConnectionId id, Tcp::socket socket, asio::ssl::context& tls, ConnectionOwner& owner);

  void start();
  /// Closes with a TCP reset, so that the peer sees it at once.
  void close();
  void freeze() { frozen_ = true; }
  /// Sends what the protocol has to say, unless a write is under way, and closes when it is finished.
  void flush();
  void update_stream_limit();
  void go_away(std::int32_t last_stream, const std::string& reason);
  /// nullptr before the handshake is done.
  Protocol* protocol() { return protocol_.get(); }

 private:
  void on_handshake();
  void read();
  void on_read(std::size_t size);
  void watch_idle();
  void on_request(Request request) override { owner_.events().on_request(std::move(request)); }

  ConnectionId id_;
  ConnectionOwner& owner_;
  asio::ssl::stream<Tcp::socket> stream_;
  asio::steady_timer idle_;
  std::unique_ptr<Protocol> protocol_;
  std::array<char, 16 * 1024> in_;  // one TLS record
  std::string out_, writing_;
  std::uint32_t sent_limit_ = 0;
  bool open_ = true, feeding_ = false, frozen_ = false, announced_ = false;
};

}  // namespace wake::sim
