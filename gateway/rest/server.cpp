#include "gateway/rest/server.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <thread>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/ssl/context.hpp>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "config/address.hpp"
#include "gateway/listen/listening_socket.hpp"
#include "gateway/rest/http_connection.hpp"
#include "gateway/rest/proxy_wait.hpp"
#include "gateway/thread_name.hpp"

namespace wake::gateway {

using namespace rest;

namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr std::chrono::milliseconds kAcceptPause{200};  // when descriptors run out
constexpr std::chrono::seconds kStopPatience{5};

bool is_http(config::Protocol protocol) {
  return protocol == config::Protocol::Http || protocol == config::Protocol::Https;
}

/// Failed log-ins are counted per host, so the port goes.
std::string host_of(const sockaddr_storage& address, socklen_t length) {
  if (address.ss_family == AF_UNIX) return "unix";
  const std::string text = peer_endpoint(address, length).text();
  return text.substr(0, text.rfind(':'));
}

/// Asio wants to own what it waits for.
int own_copy(const FileDescriptor& fd) {
  const int copy = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);
  if (copy < 0) throw std::runtime_error("no file descriptor for a listener");
  return copy;
}

/// Over the limit: one line that every HTTP client understands, if the socket takes it at once.
void turn_away(int fd) {
  static constexpr std::string_view kBusy =
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  [[maybe_unused]] const ssize_t sent = ::send(fd, kBusy.data(), kBusy.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/// Accepts for one listening socket, on the io thread.
class Acceptor {
 public:
  Acceptor(HttpHub& hub, FileDescriptor fd, const config::ListenerOptions& options, TlsContextPtr tls)
      : hub_(hub),
        options_(options),
        tls_(std::move(tls)),
        allowed_origins_(shared(options.allowed_origins)),
        descriptor_(hub.io, own_copy(fd)),
        pause_(hub.io) {}

  const config::ListenerOptions& options() const { return options_; }
  std::uint16_t port() {
    const std::string text = local_endpoint(descriptor_.native_handle()).text();
    if (text.starts_with("unix:")) return 0;
    return static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
  }
  void take_up(TlsContextPtr tls, const std::vector<std::string>& allowed_origins) {
    tls_ = std::move(tls);
    allowed_origins_ = shared(allowed_origins);
  }
  void wait() {
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, [this](beast::error_code error) {
      if (!error) accept_some();
    });
  }
  void close() {
    pause_.cancel();
    descriptor_.close();
  }

 private:
  using Origins = std::shared_ptr<const std::vector<std::string>>;
  static Origins shared(const std::vector<std::string>& origins) {
    return std::make_shared<const std::vector<std::string>>(origins);
  }

  void accept_some() {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
      sockaddr_storage address{};
      socklen_t length = sizeof address;
      const int fd = ::accept4(descriptor_.native_handle(), reinterpret_cast<sockaddr*>(&address), &length,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        admit(fd, address, length);
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        return pause();
      } else if (errno != EINTR && errno != ECONNABORTED) {
        break;
      }
    }
    wait();
  }

  void pause() {
    hub_.context.log(push::LogLevel::Error, "rest.no_descriptors",
                     "No file descriptor for another connection: raise the limit of open files (ulimit -n).");
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([this](beast::error_code error) {
      if (!error) wait();
    });
  }

  void admit(int fd, const sockaddr_storage& address, socklen_t length) {
    const asio::generic::stream_protocol protocol(address.ss_family, 0);
    asio::generic::stream_protocol::socket socket(hub_.io, protocol, fd);
    if (hub_.connections.size() >= hub_.options.max_connections) {
      ++hub_.counters.turned_away;
      if (!tls_) turn_away(fd);
      return;
    }
    std::string host = host_of(address, length);
    if (!options_.proxy_protocol) return serve(std::move(socket), std::move(host));
    const auto refused = [this, host](const std::string& why, bool has_received) {
      if (has_received) ++hub_.counters.malformed;
      hub_.context.log(has_received ? push::LogLevel::Info : push::LogLevel::Debug, "proxy.refused",
                       host + ": " + why);
    };
    const auto done = [this, host](ProxyWait::StreamSocket behind, const std::string& named) {
      serve(std::move(behind), named.empty() ? host : named.substr(0, named.rfind(':')));
    };
    std::make_shared<ProxyWait>(hub_, std::move(socket), done, refused)->start();
  }

  void serve(asio::generic::stream_protocol::socket socket, std::string host) {
    std::optional<AddressLimit::Share> share(std::in_place);
    if (AddressLimit* const limit = hub_.options.addresses) share = limit->claim(host);
    if (!share) {
      hub_.context.log(push::LogLevel::Info, "listener.address_full",
                       host + ": closed, its address has limits.max_connections_per_address");
      ++hub_.counters.turned_away;
      if (!tls_) turn_away(socket.native_handle());
      return;
    }
    HttpPeer peer{std::move(host), std::move(*share), allowed_origins_};
    if (tls_) {
      SSL_CTX_up_ref(tls_.get());
      asio::ssl::context context(
          tls_.get());  // gives its reference back when it goes; the stream holds one of its own
      std::make_shared<HttpConnection<TlsStream>>(hub_, std::move(peer), PlainStream(std::move(socket)),
                                                  context)
          ->start();
    } else {
      std::make_shared<HttpConnection<PlainStream>>(hub_, std::move(peer), std::move(socket))->start();
    }
  }

  HttpHub& hub_;
  const config::ListenerOptions options_;
  TlsContextPtr tls_;
  Origins allowed_origins_;
  asio::posix::stream_descriptor descriptor_;
  asio::steady_timer pause_;
};

TlsContextPtr tls_of(const config::ListenerOptions& options) {
  return config::is_tls(options.protocol) ? make_tls_context(options) : nullptr;
}

}  // namespace

struct RestServer::Impl {
  Impl(RestOptions rest_options, Port& port, Authenticator& authenticator, db::Pool& pool, push::LogSink log)
      : options(std::move(rest_options)),
        context{port, authenticator, pool, options, std::move(log)},
        hub(options, context) {
    context.own_metrics = [this] { return hub.counters.to_prometheus(); };
  }

  RestOptions options;
  Context context;
  HttpHub hub;
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  std::vector<SocketFile> files;
  std::vector<std::uint16_t> ports;
  std::thread io_thread;

  void open(const config::ListenerOptions& listener) {
    const auto address = config::parse_address(listener.address);
    if (!address)
      throw std::runtime_error("listener " + listener.address + ": expected \"host:port\" or \"unix:/path\"");
    const TlsContextPtr tls = tls_of(listener);
    bool is_first = true;
    for (const Endpoint& endpoint : resolve(*address)) {
      Listening listening = listen_on(endpoint, 1, config::unix_mode_of(listener));
      files.push_back(std::move(listening.file));
      for (FileDescriptor& fd : listening.sockets) {
        acceptors.push_back(std::make_unique<Acceptor>(hub, std::move(fd), listener, tls));
        if (std::exchange(is_first, false)) ports.push_back(acceptors.back()->port());
      }
    }
  }

  void begin_stop() {
    hub.is_stopping = true;
    for (auto& acceptor : acceptors) acceptor->close();
    const std::vector<HttpConnectionBase*> connections(hub.connections.begin(), hub.connections.end());
    for (HttpConnectionBase* connection : connections) connection->shut_down();
    if (hub.connections.empty()) return;
    hub.stop_deadline.expires_after(kStopPatience);
    hub.stop_deadline.async_wait([this](beast::error_code error) {
      if (error) return;  // all are gone
      const std::vector<HttpConnectionBase*> left(hub.connections.begin(), hub.connections.end());
      for (HttpConnectionBase* connection : left) connection->close_now();
      hub.pending.drop_all();
    });
  }
};

RestServer::RestServer(RestOptions options, Port& port, Authenticator& authenticator, db::Pool& pool,
                       push::LogSink log)
    : impl_(std::make_unique<Impl>(std::move(options), port, authenticator, pool, std::move(log))) {}

RestServer::~RestServer() { stop(); }

void RestServer::start() {
  for (const config::ListenerOptions& listener : impl_->options.listeners) {
    if (is_http(listener.protocol)) impl_->open(listener);
  }
  for (auto& acceptor : impl_->acceptors) acceptor->wait();
  impl_->io_thread = std::thread([this] {
    name_this_thread("wake-rest");
    impl_->hub.io.run();
  });
}

std::vector<std::uint16_t> RestServer::ports() const { return impl_->ports; }

void RestServer::reload(const std::vector<config::ListenerOptions>& listeners) {
  std::vector<std::pair<TlsContextPtr, std::vector<std::string>>> fresh;
  for (auto& acceptor : impl_->acceptors) {
    const config::ListenerOptions& old = acceptor->options();
    const auto is_it = [&](const config::ListenerOptions& one) {
      return one.protocol == old.protocol && one.address == old.address;
    };
    const auto found = std::ranges::find_if(listeners, is_it);
    const config::ListenerOptions& now = found == listeners.end() ? old : *found;
    fresh.emplace_back(tls_of(now), now.allowed_origins);
  }
  asio::post(impl_->hub.io, [this, fresh = std::move(fresh)] {
    for (std::size_t i = 0; i < fresh.size(); ++i)
      impl_->acceptors[i]->take_up(fresh[i].first, fresh[i].second);
  });
}

void RestServer::stop() {
  if (impl_->io_thread.joinable()) {
    asio::post(impl_->hub.io, [this] { impl_->begin_stop(); });
    impl_->io_thread.join();
  }
  impl_->hub.workers.join();
  impl_->hub.observers.join();
}

}  // namespace wake::gateway
