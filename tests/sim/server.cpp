#include "tests/sim/server.hpp"

#include <unordered_map>

#include <boost/asio/io_context.hpp>

#include "tests/sim/connection.hpp"

namespace wake::sim {
namespace {

using Error = boost::system::error_code;

asio::const_buffer as_buffer(const std::string& text) { return asio::buffer(text); }

}  // namespace

struct Server::Impl final : ConnectionOwner {
  Impl(asio::io_context& io, const Listen& listen, const ServerCertificate& certificate,
       const Settings& settings, ServerEvents& events)
      : io_(io),
        endpoint_(asio::ip::make_address(listen.address), listen.port),
        http1_(listen.http1),
        settings_(settings),
        events_(events),
        acceptor_(io),
        tls_(asio::ssl::context::tls_server) {
    tls_.use_certificate_chain(as_buffer(certificate.chain_pem));
    tls_.use_private_key(as_buffer(certificate.key_pem), asio::ssl::context::pem);
    SSL_CTX_set_min_proto_version(tls_.native_handle(), TLS1_2_VERSION);
    SSL_CTX_set_alpn_select_cb(tls_.native_handle(), &Impl::choose_protocol, this);
    listen_now();
  }

  ServerEvents& events() override { return events_; }
  const Settings& settings() const override { return settings_; }
  bool http1() const override { return http1_; }
  void on_gone(ConnectionId id) override { connections_.erase(id); }

  static int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                             const unsigned char* in, unsigned in_size, void* user);
  void listen_now();
  void accept();
  void close_all();
  Connection* find(ConnectionId id) const {
    const auto found = connections_.find(id);
    return found == connections_.end() ? nullptr : found->second.get();
  }
  /// A copy, because acting on a connection may remove it.
  std::unordered_map<ConnectionId, std::shared_ptr<Connection>> all() const { return connections_; }

  asio::io_context& io_;
  Tcp::endpoint endpoint_;
  bool http1_;
  const Settings& settings_;
  ServerEvents& events_;
  Tcp::acceptor acceptor_;
  asio::ssl::context tls_;
  std::unordered_map<ConnectionId, std::shared_ptr<Connection>> connections_;
  ConnectionId next_ = 1;
};

/// Apple ends the handshake when h2 is not offered; a client without any ALPN is closed after it
/// (Connection).
int Server::Impl::choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                                  const unsigned char* in, unsigned in_size, void* user) {
  const auto& self = *static_cast<Impl*>(user);
  if (self.settings_.alpn == "refuse") return SSL_TLSEXT_ERR_NOACK;
  static constexpr std::string_view kH2 = "\x02h2", kBoth = "\x02h2\x08http/1.1";
  const std::string_view ours = self.http1_ ? kBoth : kH2;
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
                            static_cast<unsigned>(ours.size()), in, in_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void Server::Impl::listen_now() {
  acceptor_.open(endpoint_.protocol());
  acceptor_.set_option(Tcp::acceptor::reuse_address(true));
  acceptor_.bind(endpoint_);
  acceptor_.listen();
  endpoint_ = acceptor_.local_endpoint();
  accept();
}

void Server::Impl::accept() {
  acceptor_.async_accept([this](Error error, Tcp::socket socket) {
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
    if (!error && settings_.tls == "ok") {
      const auto id = next_++;
      const auto made = std::make_shared<Connection>(id, std::move(socket), tls_, *this);
      connections_.emplace(id, made);
      made->start();
    }
    accept();
  });
}

void Server::Impl::close_all() {
  for (const auto& [id, connection] : all()) connection->close();
}

Server::Server(asio::io_context& io, const Listen& listen, const ServerCertificate& certificate,
               const Settings& settings, ServerEvents& events)
    : impl_(std::make_unique<Impl>(io, listen, certificate, settings, events)) {}
Server::~Server() { impl_->close_all(); }

std::uint16_t Server::port() const { return impl_->endpoint_.port(); }
std::size_t Server::connections() const { return impl_->connections_.size(); }

void Server::down() {
  impl_->acceptor_.close();
  impl_->close_all();
}

void Server::up() {
  if (!impl_->acceptor_.is_open()) impl_->listen_now();
}

void Server::drop() { impl_->close_all(); }

void Server::freeze() {
  for (const auto& [id, connection] : impl_->all()) connection->freeze();
}

void Server::go_away(const std::string& reason, std::size_t keep) {
  for (const auto& [id, connection] : impl_->all()) {
    if (auto* protocol = connection->protocol())
      connection->go_away(protocol->last_stream_keeping(keep), reason);
  }
}

void Server::update_stream_limits() {
  for (const auto& [id, connection] : impl_->all()) connection->update_stream_limit();
}

bool Server::waits(ConnectionId id, std::int32_t stream) const {
  auto* connection = impl_->find(id);
  return connection && connection->protocol() && connection->protocol()->waits(stream);
}

void Server::respond(ConnectionId id, std::int32_t stream, Reply reply) {
  auto* connection = impl_->find(id);
  if (!connection || !connection->protocol()) return;
  connection->protocol()->respond(stream, std::move(reply));
  connection->flush();
}

void Server::reset(ConnectionId id, std::int32_t stream, std::uint32_t code) {
  auto* connection = impl_->find(id);
  if (!connection || !connection->protocol()) return;
  connection->protocol()->reset(stream, code);
  connection->flush();
}

void Server::close(ConnectionId id) {
  // Not at once: this may be called from inside the connection's own read.
  asio::post(impl_->io_, [this, id] {
    if (auto* connection = impl_->find(id)) connection->close();
  });
}

void Server::freeze(ConnectionId id) {
  if (auto* connection = impl_->find(id)) connection->freeze();
}

void Server::go_away(ConnectionId id, std::int32_t last_stream, const std::string& reason) {
  if (auto* connection = impl_->find(id)) connection->go_away(last_stream, reason);
}

void Server::update_stream_limit(ConnectionId id) {
  if (auto* connection = impl_->find(id)) connection->update_stream_limit();
}

}  // namespace wake::sim
