#include "push/http2_connection.hpp"

#include <istream>

#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/write.hpp>
#include <openssl/ssl.h>

#include "push/event_loop.hpp"

namespace wake::push {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kWriteSize = 64 * 1024;

bool is_address(const std::string& host) {
  boost::system::error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

// The certificate's own trouble says more than "certificate verify failed".
std::string explain_handshake(SSL* ssl, const boost::system::error_code& error) {
  const long verified = SSL_get_verify_result(ssl);
  if (verified == X509_V_OK) return "TLS: " + error.message();
  return std::string("TLS: certificate refused: ") + X509_verify_cert_error_string(verified);
}

bool is_h2(SSL* ssl) {
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &protocol, &size);
  return size == 2 && protocol[0] == 'h' && protocol[1] == '2';
}

}  // namespace

Http2Connection::Http2Connection(asio::io_context& io, asio::ssl::context& tls,
                                 Http2ConnectionOptions options, Http2ConnectionEvents& events)
    : resolver_(io), stream_(io, tls), timer_(io), options_(std::move(options)), events_(&events) {}

void Http2Connection::start() {
  timer_.expires_after(options_.connect_timeout);
  timer_.async_wait([self = shared_from_this()](Error error) {
    if (!error && !self->is_ready()) self->fail("no connection in time");
  });
  const Endpoint& first = options_.proxy ? *options_.proxy : options_.endpoint;
  resolver_.async_resolve(first.host, first.port,
                          [self = shared_from_this()](Error error, const auto& addresses) {
                            if (self->is_closed_) return;
                            if (error) return self->fail("resolve: " + error.message());
                            self->connect(addresses);
                          });
}

void Http2Connection::connect(const asio::ip::tcp::resolver::results_type& addresses) {
  asio::async_connect(stream_.next_layer(), addresses, [self = shared_from_this()](Error error, const auto&) {
    if (self->is_closed_) return;
    if (error) return self->fail("connect: " + error.message());
    Error ignored;  // only latency is lost when the option cannot be set
    self->stream_.next_layer().set_option(asio::ip::tcp::no_delay(true), ignored);
    self->options_.proxy ? self->ask_proxy() : self->shake_hands();
  });
}

// RFC 9110 §9.3.6
void Http2Connection::ask_proxy() {
  const std::string target = authority_of(options_.endpoint, false);
  proxy_request_ = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n";
  asio::async_write(stream_.next_layer(), asio::buffer(proxy_request_),
                    [self = shared_from_this()](Error error, std::size_t) {
                      if (self->is_closed_) return;
                      if (error) return self->fail("proxy: " + error.message());
                      self->read_proxy_answer();
                    });
}

void Http2Connection::read_proxy_answer() {
  asio::async_read_until(stream_.next_layer(), proxy_answer_, "\r\n\r\n",
                         [self = shared_from_this()](Error error, std::size_t) {
                           if (self->is_closed_) return;
                           if (error) return self->fail("proxy: " + error.message());
                           std::string version;
                           int status = 0;
                           std::istream(&self->proxy_answer_) >> version >> status;
                           if (!version.starts_with("HTTP/1.") || status / 100 != 2) {
                             return self->fail("proxy: refused CONNECT with " + std::to_string(status));
                           }
                           self->shake_hands();
                         });
}

void Http2Connection::shake_hands() {
  static constexpr unsigned char kAlpn[] = {2, 'h', '2'};
  SSL* ssl = stream_.native_handle();
  SSL_set_alpn_protos(ssl, kAlpn, sizeof kAlpn);
  if (!is_address(options_.endpoint.host)) SSL_set_tlsext_host_name(ssl, options_.endpoint.host.c_str());
  stream_.set_verify_callback(asio::ssl::host_name_verification(options_.endpoint.host));
  stream_.async_handshake(asio::ssl::stream_base::client, [self = shared_from_this(), ssl](Error error) {
    if (self->is_closed_) return;
    if (error) return self->fail(explain_handshake(ssl, error));
    if (!is_h2(ssl)) return self->fail("TLS: the peer does not speak HTTP/2 (ALPN h2)");
    self->start_session();
  });
}

void Http2Connection::start_session() {
  session_.emplace(options_.session, std::chrono::steady_clock::now());
  flush();
  read();
}

void Http2Connection::submit(RequestTag tag, const Http2Request& request) {
  session_->submit(tag, request, std::chrono::steady_clock::now());
  schedule_flush();
  arm_timer();
}

void Http2Connection::drain() {
  if (!session_) return fail("given up");
  session_->drain();
  schedule_flush();
}

void Http2Connection::abandon() {
  events_ = nullptr;
  is_ready() && in_flight() == 0 ? drain() : fail("closed");
}

void Http2Connection::read() {
  stream_.async_read_some(asio::buffer(input_), [self = shared_from_this()](Error error, std::size_t size) {
    if (self->is_closed_) return;
    if (error) {
      const std::string& said = self->session_->failure();
      return self->fail(said.empty() ? "read: " + error.message() : said);
    }
    const bool was_ready = self->is_ready();
    self->session_->on_bytes(std::span(self->input_).first(size), std::chrono::steady_clock::now());
    if (!was_ready && self->is_ready()) {
      self->timer_.cancel();
      self->armed_.reset();
    }
    self->after_input();
    if (!self->is_closed_) self->read();
  });
}

void Http2Connection::after_input() {
  deliver_answers();
  if (is_closed_) return;
  if (events_) events_->on_connection_room();
  if (is_closed_) return;
  flush();
  if (!is_writing_ && session_->is_over()) {
    return fail(session_->failure().empty() ? "closed" : session_->failure());
  }
  arm_timer();
}

// One write for all requests of one turn of the loop.
void Http2Connection::schedule_flush() {
  if (is_flush_scheduled_) return;
  is_flush_scheduled_ = true;
  asio::post(stream_.get_executor(), [self = shared_from_this()] {
    self->is_flush_scheduled_ = false;
    if (!self->is_closed_) self->after_input();
  });
}

void Http2Connection::flush() {
  if (is_writing_ || is_closed_) return;
  output_.clear();
  session_->take_output(output_, kWriteSize);
  if (output_.empty()) return;
  is_writing_ = true;
  asio::async_write(stream_, asio::buffer(output_), [self = shared_from_this()](Error error, std::size_t) {
    self->is_writing_ = false;
    if (self->is_closed_) return;
    if (error) return self->fail("write: " + error.message());
    self->after_input();
  });
}

void Http2Connection::arm_timer() {
  if (!is_ready()) return;  // the connect timeout is still running
  const auto next = session_->next_deadline();
  if (!next || (armed_ && *armed_ <= *next)) return;
  armed_ = next;
  timer_.expires_at(*next);
  timer_.async_wait([self = shared_from_this()](Error error) {
    if (error || self->is_closed_) return;
    self->armed_.reset();
    self->session_->on_time(std::chrono::steady_clock::now());
    self->after_input();
  });
}

void Http2Connection::deliver_answers() {
  for (auto& [tag, answer] : session_->take_answers()) {
    answer.connection_id = options_.id;
    if (events_) events_->on_connection_answer(tag, std::move(answer));
  }
}

void Http2Connection::fail(const std::string& why) {
  if (is_closed_) return;
  is_closed_ = true;
  const auto self = shared_from_this();  // the owner lets go of us below
  Error ignored;                         // closing: there is nothing left to do about it
  resolver_.cancel();
  timer_.cancel();
  stream_.next_layer().close(ignored);
  if (session_) {
    session_->fail_open(why);
    deliver_answers();
  }
  if (events_) std::exchange(events_, nullptr)->on_connection_down(*this, why);
}

}  // namespace wake::push
