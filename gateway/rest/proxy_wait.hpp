// Takes the PROXY header off a fresh connection of an http or https listener, byte for byte no more than it
// has, so that TLS or HTTP reads on right behind it. Only server.cpp includes this (Asio is heavy).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>

#include "gateway/listen/proxy_header.hpp"
#include "gateway/rest/http_hub.hpp"

namespace wake::gateway::rest {

namespace asio = boost::asio;

class ProxyWait final : public HttpConnectionBase, public std::enable_shared_from_this<ProxyWait> {
 public:
  using StreamSocket = asio::generic::stream_protocol::socket;
  /// The peer's address as the header has it; empty: it names none.
  using Done = std::function<void(StreamSocket socket, const std::string& address)>;
  /// `has_received`: something came at all; else it was a probe of the port.
  using Refused = std::function<void(const std::string& why, bool has_received)>;

  ProxyWait(HttpHub& hub, StreamSocket socket, Done done, Refused refused)
      : hub_(hub),
        socket_(std::move(socket)),
        timer_(hub.io, hub.options.proxy_timeout),
        done_(std::move(done)),
        refused_(std::move(refused)) {
    hub_.add(*this);
  }
  ~ProxyWait() override { hub_.remove(*this); }

  void shut_down() override { close_now(); }
  void close_now() override {
    boost::system::error_code ignored;  // it is gone either way
    socket_.close(ignored);
  }
  void start() override {
    timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error) self->end();
    });
    go_on();
  }

 private:
  void go_on() {
    const ProxyResult result = parse_proxy_header(std::as_bytes(std::span(header_)));
    if (const auto* refusal = std::get_if<ProxyRefusal>(&result)) return refuse(refusal->why, true);
    if (const auto* header = std::get_if<ProxyHeader>(&result)) {
      timer_.cancel();
      return done_(std::move(socket_), header->address);
    }
    const std::size_t before = header_.size();
    header_.resize(before + std::get<ProxyNeedsMore>(result).bytes);
    asio::async_read(socket_, asio::buffer(header_.data() + before, header_.size() - before),
                     [self = shared_from_this(), before](boost::system::error_code error, std::size_t got) {
                       if (error) return self->refuse("no whole header came", before + got > 0);
                       self->go_on();
                     });
  }

  void refuse(const std::string& why, bool has_received) {
    timer_.cancel();
    refused_(why, has_received);
    end();
  }

  /// Closing with unread bytes would reset the connection, and look like a broken gateway to the proxy.
  void end() {
    boost::system::error_code ignored;  // it is gone either way
    socket_.shutdown(StreamSocket::shutdown_send, ignored);
    socket_.non_blocking(true, ignored);
    header_.resize(kMaxProxyHeader);
    socket_.read_some(asio::buffer(header_), ignored);
    close_now();
  }

  HttpHub& hub_;
  StreamSocket socket_;
  asio::steady_timer timer_;
  const Done done_;
  const Refused refused_;
  std::vector<char> header_;  // at most kMaxProxyHeader
};

}  // namespace wake::gateway::rest
