// HTTP/1.1, one request at a time, for token endpoints: Google's own libraries ask for access tokens that
// way.
#include <optional>
#include <sstream>

#include <boost/beast/http.hpp>

#include "tests/sim/protocol.hpp"

namespace wake::sim {
namespace {

namespace http = boost::beast::http;

std::string lower(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

class Http1 final : public Protocol {
 public:
  Http1(ConnectionId connection, ProtocolEvents& events) : connection_(connection), events_(events) {
    fresh_parser();
  }

  bool feed(std::string_view bytes) override;
  void drain(std::string& out) override { out += std::exchange(out_, {}); }
  bool finished() const override { return closing_ && !waiting_ && out_.empty(); }
  bool waits(std::int32_t stream) const override { return waiting_ && stream == stream_; }
  void respond(std::int32_t stream, Reply) override;
  void reset(std::int32_t, std::uint32_t) override { closing_ = true, waiting_ = false; }
  void go_away(std::int32_t, const std::string&) override { closing_ = true; }
  std::int32_t last_stream_keeping(std::size_t) const override { return stream_; }
  void set_stream_limit(std::uint32_t) override {}  // HTTP/1.1 has one at a time anyway

 private:
  void fresh_parser() {
    parser_.emplace();
    parser_->body_limit(kBodyKept);
    parser_->eager(true);
  }
  void raise();

  ConnectionId connection_;
  ProtocolEvents& events_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::string in_, out_;
  std::int32_t stream_ = 0;
  bool waiting_ = false, closing_ = false;
};

bool Http1::feed(std::string_view bytes) {
  in_ += bytes;
  while (!waiting_ && !closing_ && !in_.empty()) {
    boost::beast::error_code error;
    const std::size_t used = parser_->put(boost::asio::buffer(in_), error);
    in_.erase(0, used);
    if (error == http::error::need_more) return true;
    if (error) return false;
    if (parser_->is_done()) {
      raise();
    } else if (used == 0) {
      return true;
    }
  }
  return in_.size() <= kBodyKept;
}

void Http1::raise() {
  auto message = parser_->release();
  fresh_parser();
  closing_ = !message.keep_alive();
  waiting_ = true;
  Request request{.connection = connection_,
                  .stream = ++stream_,
                  .method = std::string(message.method_string()),
                  .path = std::string(message.target()),
                  .headers = {},
                  .body = std::move(message.body()),
                  .body_bytes = 0};
  request.body_bytes = request.body.size();
  for (const auto& field : message) {
    request.headers.emplace_back(lower(field.name_string()), std::string(field.value()));
  }
  events_.on_request(std::move(request));
}

void Http1::respond(std::int32_t stream, Reply reply) {
  if (!waits(stream)) return;
  http::response<http::string_body> message(static_cast<http::status>(reply.status), 11);
  for (const auto& [name, value] : reply.headers) message.set(name, value);
  message.body() = std::move(reply.body);
  message.keep_alive(!closing_);
  message.prepare_payload();
  std::ostringstream text;
  text << message;
  out_ += text.str();
  waiting_ = false;
}

}  // namespace

std::unique_ptr<Protocol> make_http1(ConnectionId connection, ProtocolEvents& events) {
  return std::make_unique<Http1>(connection, events);
}

}  // namespace wake::sim
