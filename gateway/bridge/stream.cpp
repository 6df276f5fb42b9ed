#include "gateway/bridge/stream.hpp"

#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <openssl/err.h>
#include <sys/socket.h>

#include "config/address.hpp"
#include "gateway/bridge/certificate_names.hpp"
#include "push/tls_context.hpp"

namespace wake::gateway {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using PlainSocket = asio::generic::stream_protocol::socket;
using TlsSocket = asio::ssl::stream<PlainSocket>;

constexpr std::chrono::seconds kGoodbye{2};
constexpr std::size_t kReadBytes = 64 * 1024;

PlainSocket& lowest(PlainSocket& socket) { return socket; }
PlainSocket& lowest(TlsSocket& socket) { return socket.next_layer(); }

void close_socket(PlainSocket& socket) {
  error_code ignored;  // of a socket that is gone either way
  socket.close(ignored);
}

template <class Socket>
class StreamOf final : public BridgeStream, public std::enable_shared_from_this<StreamOf<Socket>> {
 public:
  explicit StreamOf(Socket socket) : socket_(std::move(socket)), timer_(socket_.get_executor()) {}

  void read(Received received) override {
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = this->shared_from_this(), received = std::move(received)](
                                const error_code& error, std::size_t bytes) {
                              received(error, broker::Bytes(self->buffer_).first(bytes));
                            });
  }

  void write(std::vector<std::byte> bytes, Written written) override {
    is_writing_ = true;
    bytes_ = std::move(bytes);
    asio::async_write(socket_, asio::buffer(bytes_),
                      [self = this->shared_from_this(), written = std::move(written)](const error_code& error,
                                                                                      std::size_t) {
                        self->is_writing_ = false;
                        written(error);
                      });
  }

  void close() override { close_socket(lowest(socket_)); }

  void say_goodbye(std::vector<std::byte> last) override {
    if (last.empty() || is_writing_) return close();
    bytes_ = std::move(last);
    auto self = this->shared_from_this();
    timer_.expires_after(kGoodbye);
    timer_.async_wait([self](const error_code&) { self->close(); });
    asio::async_write(socket_, asio::buffer(bytes_), [self](const error_code&, std::size_t) {
      self->timer_.cancel();  // closes
    });
  }

 private:
  Socket socket_;
  asio::steady_timer timer_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(kReadBytes);
  std::vector<std::byte> bytes_;  // being written
  bool is_writing_ = false;
};

/// The check of the certificate's name, which leaves in `mismatch` what it found instead. Shared, since the
/// socket outlives whoever made it.
auto check_of_name(const std::string& host, const std::shared_ptr<std::string>& mismatch) {
  return [is_named = asio::ssl::host_name_verification(host), host, mismatch](
             bool is_trusted, asio::ssl::verify_context& context) {
    const bool is_good = is_named(is_trusted, context);
    if (is_trusted && !is_good) {
      const X509* const shown = X509_STORE_CTX_get_current_cert(context.native_handle());
      *mismatch = "TLS: the broker's certificate is for " + names_of(*shown) + ", and not for " + host +
                  " as in the address";
    }
    return is_good;
  };
}

std::string tls_reason(const error_code& error, TlsSocket& socket, const std::string& mismatch) {
  if (!mismatch.empty()) return mismatch;
  const long verdict = SSL_get_verify_result(socket.native_handle());
  if (verdict == X509_V_OK) return "TLS: " + error.message();
  return std::string("TLS: the broker's certificate is not accepted: ") +
         X509_verify_cert_error_string(verdict);
}

/// The steps of a connection. Handlers hold it, so it outlives them; given up, they end without a word.
class Connecting : public std::enable_shared_from_this<Connecting> {
 public:
  Connecting(asio::io_context& io, const config::BridgeOptions& options, BridgeConnector::Opened opened)
      : resolver_(io), socket_(io), options_(options), opened_(std::move(opened)) {}

  void start() {
    const auto address = config::parse_address(options_.address);
    if (!address) return finish(nullptr, "address " + options_.address + " is none");
    if (!address->unix_path.empty()) {
      return connect(
          {PlainSocket::endpoint_type(asio::local::stream_protocol::endpoint(address->unix_path))});
    }
    host_ = address->host;
    resolver_.async_resolve(host_, std::to_string(address->port),
                            [self = shared_from_this()](const error_code& error,
                                                        const asio::ip::tcp::resolver::results_type& found) {
                              if (error) return self->finish(nullptr, self->host_ + ": " + error.message());
                              std::vector<PlainSocket::endpoint_type> endpoints;
                              for (const auto& entry : found) endpoints.emplace_back(entry.endpoint());
                              self->connect(std::move(endpoints));
                            });
  }

  void give_up() {
    opened_ = nullptr;
    resolver_.cancel();
    close_socket(tls_ ? tls_->next_layer() : socket_);
  }

 private:
  void connect(std::vector<PlainSocket::endpoint_type> endpoints) {
    if (!opened_) return;
    endpoints_ = std::move(endpoints);
    asio::async_connect(socket_, endpoints_,
                        [self = shared_from_this()](const error_code& error, const auto&) {
                          if (error)
                            return self->finish(nullptr, self->options_.address + ": " + error.message());
                          self->connected();
                        });
  }

  void connected() {
    if (!opened_) return;
    const int one = 1;
    // Refused by a Unix socket, which needs it not.
    ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (options_.protocol != config::Protocol::Mqtts) {
      return finish(std::make_shared<StreamOf<PlainSocket>>(std::move(socket_)), "");
    }
    try {
      context_.emplace(push::make_tls_context({options_.ca_file, options_.cert_file, options_.key_file}));
    } catch (const std::runtime_error& error) {
      return finish(nullptr, error.what());
    }
    tls_.emplace(std::move(socket_), *context_);
    error_code is_name;  // RFC 6066 §3: an address is not sent as a server name
    asio::ip::make_address(host_, is_name);
    if (is_name) SSL_set_tlsext_host_name(tls_->native_handle(), host_.c_str());
    const auto mismatch = std::make_shared<std::string>();
    tls_->set_verify_callback(check_of_name(host_, mismatch));
    tls_->async_handshake(TlsSocket::client, [self = shared_from_this(), mismatch](const error_code& error) {
      if (error)
        return self->finish(nullptr,
                            self->options_.address + ": " + tls_reason(error, *self->tls_, *mismatch));
      self->finish(std::make_shared<StreamOf<TlsSocket>>(std::move(*self->tls_)), "");
    });
  }

  void finish(std::shared_ptr<BridgeStream> stream, const std::string& why) {
    if (const auto opened = std::exchange(opened_, nullptr)) opened(std::move(stream), why);
  }

  asio::ip::tcp::resolver resolver_;
  PlainSocket socket_;
  std::optional<asio::ssl::context> context_;
  std::optional<TlsSocket> tls_;
  const config::BridgeOptions options_;
  BridgeConnector::Opened opened_;
  std::string host_;
  std::vector<PlainSocket::endpoint_type> endpoints_;
};

class ConnectorHandle final : public BridgeConnector {
 public:
  explicit ConnectorHandle(std::shared_ptr<Connecting> connecting) : connecting_(std::move(connecting)) {}
  ~ConnectorHandle() override { connecting_->give_up(); }

 private:
  std::shared_ptr<Connecting> connecting_;
};

}  // namespace

bool is_of_network(const BridgeStream::Error& error) {
  namespace e = asio::error;
  return error == e::timed_out || error == e::host_unreachable || error == e::network_unreachable ||
         error == e::network_down || error == e::network_reset;
}

std::shared_ptr<BridgeStream> make_bridge_stream(asio::io_context& io, FileDescriptor fd) {
  PlainSocket socket(io);
  socket.assign(asio::generic::stream_protocol(AF_UNIX, 0), fd.release());
  return std::make_shared<StreamOf<PlainSocket>>(std::move(socket));
}

std::unique_ptr<BridgeConnector> connect_bridge(asio::io_context& io, const config::BridgeOptions& options,
                                                BridgeConnector::Opened opened) {
  auto connecting = std::make_shared<Connecting>(io, options, std::move(opened));
  asio::post(io, [connecting] { connecting->start(); });
  return std::make_unique<ConnectorHandle>(std::move(connecting));
}

}  // namespace wake::gateway
