// One TLS connection with an Http2Session on it: the shell. Included by .cpp files of push only (Asio).
// Way: resolve, connect, CONNECT when there is a proxy, TLS with SNI and host name check, ALPN must be h2,
// SETTINGS.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>

#include "push/endpoint.hpp"
#include "push/http2_session.hpp"

namespace wake::push {

class Http2Connection;

/// Called on the loop's thread, never from inside a call into the connection.
class Http2ConnectionEvents {
 public:
  virtual void on_connection_answer(RequestTag tag, Http2Answer answer) = 0;
  /// SETTINGS came, streams ended, or it began to drain: ask room() again.
  virtual void on_connection_room() = 0;
  /// It is over; every request has had its on_connection_answer. The last call for this connection.
  virtual void on_connection_down(Http2Connection& connection, const std::string& why) = 0;

 protected:
  ~Http2ConnectionEvents() = default;
};

struct Http2ConnectionOptions {
  std::uint64_t id = 0;
  Endpoint endpoint;
  std::optional<Endpoint> proxy;
  broker::Duration connect_timeout = std::chrono::seconds{10};
  Http2SessionOptions session;
};

class Http2Connection : public std::enable_shared_from_this<Http2Connection> {
 public:
  Http2Connection(boost::asio::io_context& io, boost::asio::ssl::context& tls, Http2ConnectionOptions options,
                  Http2ConnectionEvents& events);
  void start();
  void submit(RequestTag tag, const Http2Request& request);
  std::size_t room() const { return session_ ? session_->room() : 0; }
  std::size_t in_flight() const { return session_ ? session_->in_flight() : 0; }
  bool is_draining() const { return session_ && session_->is_draining(); }
  bool has_answered() const { return session_ && session_->has_answered(); }
  bool is_ready() const { return session_ && session_->is_ready(); }
  std::uint64_t id() const { return options_.id; }
  /// No new requests; closes after the last answer.
  void drain();
  /// The owner goes away: no further events; GOAWAY when nothing is in flight, then closed.
  void abandon();

 private:
  using Error = boost::system::error_code;
  void connect(const boost::asio::ip::tcp::resolver::results_type& addresses);
  void ask_proxy();
  void read_proxy_answer();
  void shake_hands();
  void start_session();
  void read();
  void after_input();
  void schedule_flush();
  void flush();
  void arm_timer();
  void deliver_answers();
  void fail(const std::string& why);

  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream_;
  boost::asio::steady_timer timer_;
  Http2ConnectionOptions options_;
  Http2ConnectionEvents* events_;
  std::optional<Http2Session> session_;
  boost::asio::streambuf proxy_answer_{4096};
  std::string proxy_request_;
  std::array<std::byte, 16 * 1024> input_{};
  std::string output_;
  bool is_writing_ = false;
  bool is_flush_scheduled_ = false;
  bool is_closed_ = false;
  std::optional<broker::SteadyTime> armed_;
};

}  // namespace wake::push
