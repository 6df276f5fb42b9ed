// One HTTP/1.1 connection: read a header (8 KiB), then a body, hand the whole request to a worker, write the
// answer, again. One request at a time; what a client pipelines waits in the buffer. Only server.cpp includes
// this (Beast is heavy).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "gateway/auth/secret.hpp"
#include "gateway/listen/address_limit.hpp"
#include "gateway/listen/tls_context.hpp"
#include "gateway/rest/cors.hpp"
#include "gateway/rest/http_hub.hpp"
#include "gateway/rest/problem.hpp"
#include "gateway/rest/routes.hpp"

namespace wake::gateway::rest {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

using PlainStream = beast::basic_stream<asio::generic::stream_protocol>;  // TCP and Unix sockets alike
using TlsStream = asio::ssl::stream<PlainStream>;

inline constexpr std::uint32_t kMaxHeaderBytes = 8 * 1024;
inline constexpr std::size_t kMaxBufferBytes = 64 * 1024;
inline constexpr std::chrono::seconds kCloseTimeout{2};

/// Who is connected, its share of max_connections_per_address, and whose pages its listener lets read
/// answers.
struct HttpPeer {
  std::string host;
  AddressLimit::Share share;
  std::shared_ptr<const std::vector<std::string>> allowed_origins;
};

template <class Stream>
class HttpConnection final : public HttpConnectionBase,
                             public AnswerTaker,
                             public std::enable_shared_from_this<HttpConnection<Stream>> {
 public:
  template <class... StreamArgs>
  HttpConnection(HttpHub& hub, HttpPeer peer, StreamArgs&&... stream_args)
      : hub_(hub),
        address_(std::move(peer.host)),
        share_(std::move(peer.share)),
        allowed_origins_(std::move(peer.allowed_origins)),
        stream_(std::forward<StreamArgs>(stream_args)...) {
    hub_.add(*this);
  }
  ~HttpConnection() override { hub_.remove(*this); }

  void start() override {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      lowest().expires_after(hub_.options.read_timeout);
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](beast::error_code error) {
                                if (error)
                                  return;  // not TLS, or a certificate refused: nothing can be said to it
                                self->certificate_cn_ = verified_name(*self->stream_.native_handle());
                                self->read_header();
                              });
    } else {
      read_header();
    }
  }

  void shut_down() override {
    is_last_ = true;
    if (is_idle_) close_now();
  }

  void close_now() override { lowest().close(); }

 private:
  PlainStream& lowest() { return beast::get_lowest_layer(stream_); }

  void read_header() {
    parser_.emplace();
    parser_->header_limit(kMaxHeaderBytes);
    parser_->body_limit(hub_.options.max_body_bytes());
    is_idle_ = buffer_.size() == 0;
    lowest().expires_after(hub_.options.read_timeout);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this()](beast::error_code error, std::size_t) { self->on_header(error); });
  }

  void on_header(beast::error_code error) {
    is_idle_ = false;
    if (error) return on_read_error(error);
    if (parser_->is_done() || !beast::iequals(parser_->get()[http::field::expect], "100-continue"))
      return read_body();
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(kContinue),
                      [self = this->shared_from_this()](beast::error_code write_error, std::size_t) {
                        if (!write_error) self->read_body();
                      });
  }

  void read_body() {
    lowest().expires_after(hub_.options.read_timeout);
    http::async_read(stream_, buffer_, *parser_,
                     [self = this->shared_from_this()](beast::error_code error, std::size_t) {
                       if (error) return self->on_read_error(error);
                       self->hand_over();
                     });
  }

  /// What came is no HTTP, or too much of it: say so and end. A broken or silent connection just ends.
  void on_read_error(beast::error_code error) {
    if (error == http::error::body_limit) {
      return refuse(
          too_large("The body is over " + std::to_string(hub_.options.max_body_bytes()) + " bytes."));
    }
    const bool is_http_error = error.category() == make_error_code(http::error::bad_method).category();
    if (!is_http_error || error == http::error::end_of_stream || error == http::error::partial_message)
      return close_now();
    Problem problem{400, "malformed-request", "The request is not HTTP/1.1", error.message() + ".", {}, {}};
    if (error == http::error::header_limit) {
      problem = {431,
                 "header-too-large",
                 "The header is too large",
                 "It is over 8192 bytes.",
                 "Send fewer or shorter fields.",
                 {}};
    }
    refuse(problem);
  }

  void refuse(const Problem& problem) {
    ++hub_.counters.malformed;
    is_last_ = true;
    take_note();
    is_head_ = false;
    hub_.context.log(push::LogLevel::Info, "rest.malformed",
                     request_id_ + " from " + address_ + ": " + problem.detail);
    write(to_response(problem, request_id_));
  }

  Request take_request() {
    auto& message = parser_->get();
    Request request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    request.authorization = std::string(message[http::field::authorization]);
    request.content_type = std::string(message[http::field::content_type]);
    request.if_match = std::string(message[http::field::if_match]);
    request.if_none_match = std::string(message[http::field::if_none_match]);
    request.idempotency_key = std::string(message["Idempotency-Key"]);
    request.address = address_;
    request.certificate_cn = certificate_cn_;
    request.body = std::move(message.body());
    return request;
  }

  /// Of the header, as far as it came, what the answer needs.
  void take_note() {
    const auto& header = parser_->get();
    request_id_ = choose_request_id(header["X-Request-Id"]);
    const bool is_preflight = header.method() == http::verb::options;
    asked_from_ = {std::string(header[http::field::origin]),
                   is_preflight ? std::string(header[http::field::access_control_request_method]) : ""};
  }

  void hand_over() {
    is_head_ = parser_->get().method() == http::verb::head;
    take_note();
    is_last_ = is_last_ || !parser_->get().keep_alive();
    Request request = take_request();
    // The path only: a query may hold what is nobody's business, and pairing codes are single use.
    asked_ = request.method + " " + request.target.substr(0, request.target.find('?')).substr(0, 200);
    if (is_head_) request.method = "GET";
    lowest().expires_never();
    asio::thread_pool& pool = is_observation(request) ? hub_.observers : hub_.workers;
    asio::post(pool, [&context = hub_.context, respond = hub_.pending.expect(this->shared_from_this()),
                      request = std::move(request),
                      request_id = request_id_] { answer(context, request, request_id, respond); });
  }

  void on_answer(Response response) override {
    hub_.counters.count(response.status);
    hub_.context.log(
        level_of(response.status), "rest.answered",
        request_id_ + " " + asked_ + " from " + address_ + ": " + std::to_string(response.status));
    write(std::move(response));
  }

  /// What is not ready says so itself in the log; that somebody asked again is no news.
  push::LogLevel level_of(int status) const {
    if (status == 503 && asked_ == "GET /readyz") return push::LogLevel::Debug;
    if (status >= 500) return push::LogLevel::Warn;
    return status >= 400 ? push::LogLevel::Info : push::LogLevel::Debug;
  }

  /// The client's own when it is a plain word, so that both sides' logs meet.
  static std::string choose_request_id(std::string_view given) {
    const bool is_word =
        !given.empty() && given.size() <= 64 &&
        given.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
            std::string_view::npos;
    return is_word ? std::string(given) : make_request_id();
  }

  void write(Response response) {
    add_cors(*allowed_origins_, asked_from_, response);
    answer_.emplace();
    answer_->version(11);
    answer_->result(static_cast<unsigned>(response.status));
    answer_->set("X-Request-Id", request_id_);
    if (!response.content_type.empty()) answer_->set(http::field::content_type, response.content_type);
    for (const auto& [name, value] : response.headers) answer_->insert(name, value);
    answer_->keep_alive(!is_last_ && !hub_.is_stopping);
    if (response.status != 204 && response.status != 304) answer_->content_length(response.body.size());
    if (!is_head_) answer_->body() = std::move(response.body);
    serializer_.emplace(*answer_);
    lowest().expires_after(hub_.options.write_timeout);
    const auto on_written = [self = this->shared_from_this()](beast::error_code error, std::size_t) {
      self->on_written(error);
    };
    if (is_head_) {
      http::async_write_header(stream_, *serializer_, on_written);
    } else {
      http::async_write(stream_, *serializer_, on_written);
    }
  }

  void on_written(beast::error_code error) {
    const bool has_more = !error && answer_->keep_alive();
    serializer_.reset();
    answer_.reset();
    if (error) return close_now();
    if (has_more && !is_last_ && !hub_.is_stopping) return read_header();
    finish();
  }

  /// Ours is said. Closing at once would reset the connection under a client that is still sending (a body
  /// over the limit) and lose it the answer, so its bytes are read and dropped for a moment.
  void finish() {
    lowest().expires_after(kCloseTimeout);
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      stream_.async_shutdown([self = this->shared_from_this()](beast::error_code) { self->close_now(); });
    } else {
      beast::error_code ignored;  // the peer may be gone already
      lowest().socket().shutdown(asio::socket_base::shutdown_send, ignored);
      drain();
    }
  }

  void drain() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(kMaxHeaderBytes),
                            [self = this->shared_from_this()](beast::error_code error, std::size_t got) {
                              self->drained_bytes_ += got;
                              if (error || self->drained_bytes_ > self->hub_.options.max_body_bytes())
                                return self->close_now();
                              self->drain();
                            });
  }

  HttpHub& hub_;
  const std::string address_;
  AddressLimit::Share share_;
  const std::shared_ptr<const std::vector<std::string>> allowed_origins_;
  std::string certificate_cn_;
  Stream stream_;
  beast::flat_buffer buffer_{kMaxBufferBytes};
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> answer_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  std::string request_id_;  // of the request under way, as are these
  std::string asked_;
  CrossOrigin asked_from_;
  bool is_head_ = false;
  std::size_t drained_bytes_ = 0;
  bool is_idle_ = false;  // between requests: nothing is lost by closing
  bool is_last_ = false;
};

}  // namespace wake::gateway::rest
