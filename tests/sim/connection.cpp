#include "tests/sim/connection.hpp"

#include <chrono>

#include <boost/asio/write.hpp>

namespace wake::sim {
namespace {

constexpr auto kHandshakeLimit = std::chrono::seconds(10);

bool chose(asio::ssl::stream<Tcp::socket>& stream, std::string_view wanted) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(stream.native_handle(), &name, &size);
  return std::string_view(reinterpret_cast<const char*>(name), size) == wanted;
}

}  // namespace

Connection::Connection(ConnectionId id, Tcp::socket socket, asio::ssl::context& tls, ConnectionOwner& owner)
    : id_(id), owner_(owner), stream_(std::move(socket), tls), idle_(stream_.get_executor()) {}

void Connection::start() {
  boost::system::error_code ignored;  // only latency is at stake
  stream_.next_layer().set_option(Tcp::no_delay(true), ignored);
  idle_.expires_after(kHandshakeLimit);
  idle_.async_wait([self = shared_from_this()](auto error) {
    if (!error) self->close();
  });
  stream_.async_handshake(asio::ssl::stream_base::server, [self = shared_from_this()](auto error) {
    if (!self->open_) return;
    if (error) return self->close();
    self->on_handshake();
  });
}

void Connection::on_handshake() {
  idle_.cancel();
  if (chose(stream_, "h2")) {
    owner_.events().on_open(id_);
    sent_limit_ = owner_.events().stream_limit(id_);
    protocol_ = make_http2(id_, sent_limit_, *this);
  } else if (owner_.http1()) {
    owner_.events().on_open(id_);
    protocol_ = make_http1(id_, *this);
  } else {
    return close();
  }
  announced_ = true;
  flush();
  watch_idle();
  read();
}

void Connection::read() {
  stream_.async_read_some(asio::buffer(in_), [self = shared_from_this()](auto error, std::size_t size) {
    if (!self->open_ || self->frozen_) return;
    if (error) return self->close();
    self->on_read(size);
  });
}

void Connection::on_read(std::size_t size) {
  watch_idle();
  feeding_ = true;
  const bool sound = protocol_->feed({in_.data(), size});
  feeding_ = false;
  if (!open_) return;
  flush();
  if (!sound) return close();
  if (open_ && !frozen_) read();
}

void Connection::flush() {
  if (!protocol_ || !open_ || frozen_ || feeding_ || !writing_.empty()) return;
  protocol_->drain(out_);
  if (out_.empty()) {
    if (protocol_->finished()) close();
    return;
  }
  std::swap(out_, writing_);
  asio::async_write(stream_, asio::buffer(writing_), [self = shared_from_this()](auto error, std::size_t) {
    self->writing_.clear();
    if (!self->open_) return;
    if (error) return self->close();
    self->flush();
  });
}

void Connection::watch_idle() {
  const auto limit = std::chrono::milliseconds(owner_.settings().idle_close_ms);
  if (limit.count() == 0) return;
  idle_.expires_after(limit);
  idle_.async_wait([self = shared_from_this()](auto error) {
    if (error || !self->open_) return;
    self->go_away(self->protocol_->last_stream_keeping(SIZE_MAX), "session_timed_out");
  });
}

void Connection::go_away(std::int32_t last_stream, const std::string& reason) {
  if (!protocol_) return;
  protocol_->go_away(last_stream, reason);
  flush();
}

void Connection::update_stream_limit() {
  if (!protocol_) return;
  const auto wanted = owner_.events().stream_limit(id_);
  if (wanted == sent_limit_) return;
  sent_limit_ = wanted;
  protocol_->set_stream_limit(wanted);
  flush();
}

void Connection::close() {
  if (!std::exchange(open_, false)) return;
  idle_.cancel();
  boost::system::error_code ignored;  // the connection is given up either way
  auto& socket = stream_.next_layer();
  if (writing_.empty() && out_.empty() && protocol_ && protocol_->finished()) {
    socket.shutdown(Tcp::socket::shutdown_both, ignored);
  } else {
    socket.set_option(Tcp::socket::linger(true, 0), ignored);
  }
  socket.close(ignored);
  if (announced_) owner_.events().on_close(id_);
  owner_.on_gone(id_);
}

}  // namespace wake::sim
