#include "tests/sim/control.hpp"

#include <algorithm>
#include <cstdlib>
#include <unordered_set>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "tests/sim/encoding.hpp"

namespace wake::sim {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Tcp = asio::ip::tcp;
using Error = beast::error_code;

constexpr std::size_t kBodyLimit = 16 * 1024 * 1024;
constexpr long kLongestWaitMs = 60'000;

Ask ask_from(const http::request<http::string_body>& message) {
  const std::string_view target(message.target().data(), message.target().size());
  const auto mark = target.find('?');
  Ask ask{.method = std::string(message.method_string()),
          .path = std::string(target.substr(0, mark)),
          .query = {},
          .body = message.body()};
  if (mark != std::string_view::npos) ask.query = from_form(target.substr(mark + 1)).value_or(ask.query);
  return ask;
}

}  // namespace

struct Control::Impl {
  class Client;

  Impl(asio::io_context& io, const Tcp::endpoint& endpoint, Engine& engine)
      : engine_(engine), acceptor_(io, endpoint) {}
  void accept();
  void wake_waiting();

  Engine& engine_;
  Tcp::acceptor acceptor_;
  std::unordered_set<std::shared_ptr<Client>> waiting_;
};

/// One connection: read, serve (perhaps later), write, again. The control port outlives it (one io_context
/// for all).
class Control::Impl::Client : public std::enable_shared_from_this<Client> {
 public:
  Client(Tcp::socket socket, Impl& control)
      : stream_(std::move(socket)), patience_(stream_.get_executor()), control_(control) {}

  void read() {
    parser_.emplace();
    parser_->body_limit(kBodyLimit);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](Error error, std::size_t) {
      if (!error) self->on_request();
    });
  }

  void serve_again() {
    if (auto reply = serve(control_.engine_, ask_)) answer(*std::move(reply));
  }

 private:
  void on_request() {
    const auto message = parser_->release();
    keep_alive_ = message.keep_alive();
    ask_ = ask_from(message);
    if (auto reply = serve(control_.engine_, ask_)) return answer(*std::move(reply));
    wait();
  }

  void wait() {
    control_.waiting_.insert(shared_from_this());
    const long wanted = std::strtol(ask_.query["wait_ms"].c_str(), nullptr, 10);
    patience_.expires_after(std::chrono::milliseconds(std::clamp(wanted, 1L, kLongestWaitMs)));
    patience_.async_wait([self = shared_from_this()](Error error) {
      if (!error) self->answer(serve_now(self->control_.engine_, self->ask_));
    });
  }

  void answer(Reply reply) {
    control_.waiting_.erase(shared_from_this());
    patience_.cancel();
    response_ = {static_cast<http::status>(reply.status), 11};
    for (const auto& [name, value] : reply.headers) response_.set(name, value);
    response_.body() = std::move(reply.body);
    response_.keep_alive(keep_alive_);
    response_.prepare_payload();
    http::async_write(stream_, response_, [self = shared_from_this()](Error error, std::size_t) {
      if (!error && self->keep_alive_) self->read();
    });
  }

  beast::tcp_stream stream_;
  asio::steady_timer patience_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  Ask ask_;
  bool keep_alive_ = false;
  Impl& control_;
};

void Control::Impl::accept() {
  acceptor_.async_accept([this](Error error, Tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) std::make_shared<Client>(std::move(socket), *this)->read();
    accept();
  });
}

void Control::Impl::wake_waiting() {
  if (waiting_.empty()) return;
  const auto clients = waiting_;  // a copy: those who are served leave the set
  for (const auto& client : clients) client->serve_again();
}

Control::Control(asio::io_context& io, const std::string& address, std::uint16_t port, Engine& engine)
    : impl_(std::make_shared<Impl>(io, Tcp::endpoint(asio::ip::make_address(address), port), engine)) {
  impl_->accept();
  engine.on_change([impl = impl_] { impl->wake_waiting(); });
}
Control::~Control() = default;

std::uint16_t Control::port() const { return impl_->acceptor_.local_endpoint().port(); }

}  // namespace wake::sim
