#include "gateway/websocket/upgrade.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <openssl/evp.h>

namespace wake::gateway::websocket {

namespace http = boost::beast::http;

namespace {

constexpr std::string_view kAcceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 §1.3
constexpr std::size_t kKeyBytes = 16;
constexpr std::size_t kKeyText = 24;
/// In the order of our preference: v3.1.1 and v5 [MQTT-6.0.0-3], and MQTT 3.1's.
constexpr std::array<std::string_view, 2> kSubprotocols{"mqtt", "mqttv3.1"};

using Request = http::request<http::empty_body>;

/// Is `token` in one of the comma-separated values of the field, which may come several times?
bool has_token(const Request& request, boost::beast::string_view field, std::string_view token,
               bool is_exact = false) {
  const auto [first, last] = request.equal_range(field);
  return std::any_of(first, last, [&](const auto& one) {
    const http::token_list tokens(one.value());
    return std::any_of(tokens.begin(), tokens.end(), [&](boost::beast::string_view found) {
      return is_exact ? std::string_view(found.data(), found.size()) == token
                      : boost::beast::iequals(found, {token.data(), token.size()});
    });
  });
}

bool is_key(std::string_view key) {
  std::array<unsigned char, kKeyBytes + 2> bytes{};
  return key.size() == kKeyText && key.ends_with("==") && key[kKeyText - 3] != '=' &&
         EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(key.data()),
                         static_cast<int>(key.size())) == static_cast<int>(bytes.size());
}

bool is_allowed(const std::vector<std::string>& origins, boost::beast::string_view origin) {
  return origins.empty() || origin.empty() || std::ranges::any_of(origins, [&](const std::string& one) {
           return boost::beast::iequals(one, origin);
         });
}

std::string refusal_text(int status, const std::string& why) {
  std::string head = "HTTP/1.1 " + std::to_string(status) + ' ' +
                     std::string(http::obsolete_reason(static_cast<http::status>(status))) + "\r\n";
  if (status == 405) head += "Allow: GET\r\n";
  if (status == 426) head += "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
  head += status == 426 ? "Connection: Upgrade, close\r\n" : "Connection: close\r\n";
  const std::string body = why + ".\n";
  return head + "Content-Type: text/plain; charset=utf-8\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

}  // namespace

struct Upgrade::Parser {
  Parser() {
    parser.header_limit(kMaxHeaderBytes);
    parser.eager(false);
  }
  http::request_parser<http::empty_body> parser;
  std::vector<std::byte> in;  // not yet taken by the parser, which bounds it
};

Upgrade::Upgrade(UpgradeRules rules) : rules_(std::move(rules)), parser_(std::make_unique<Parser>()) {}
Upgrade::~Upgrade() = default;

Upgrade::State Upgrade::on_bytes(std::span<const std::byte> in) {
  auto& kept = parser_->in;
  kept.insert(kept.end(), in.begin(), in.end());
  if (kept.empty()) return State::NeedMore;
  const bool is_first = !parser_->parser.got_some();
  if (is_first && kept.front() == std::byte{0x16})
    return refuse(400, "TLS bytes on a plain listener; TLS clients belong on a wss listener");
  if (is_first && kept.front() == std::byte{0x10})
    return refuse(400, "MQTT bytes without a WebSocket around them; such clients belong on an mqtt listener");
  boost::beast::error_code error;
  const std::size_t taken = parser_->parser.put(boost::asio::buffer(kept.data(), kept.size()), error);
  kept.erase(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(taken));
  if (error == http::error::need_more) return State::NeedMore;
  if (error == http::error::header_limit)
    return refuse(431, "the header is over " + std::to_string(kMaxHeaderBytes) + " bytes");
  if (error) return refuse(400, "this is no HTTP/1.1 request: " + error.message());
  return parser_->parser.is_header_done() ? judge() : State::NeedMore;
}

std::span<const std::byte> Upgrade::rest() const { return parser_->in; }

Upgrade::State Upgrade::judge() {
  const Request& request = parser_->parser.get();
  if (request.method() != http::verb::get) return refuse(405, "a WebSocket is opened with GET");
  if (request.version() != 11) return refuse(400, "a WebSocket needs HTTP/1.1");
  if (!has_token(request, "Upgrade", "websocket") || !has_token(request, "Connection", "upgrade"))
    return refuse(426, "MQTT over WebSocket is served here; REST is on the http listener");
  if (request["Sec-WebSocket-Version"] != "13") return refuse(426, "only version 13 of WebSocket is spoken");
  if (request["Host"].empty()) return refuse(400, "the Host field is missing");
  if (parser_->parser.content_length_remaining().value_or(0) > 0 || parser_->parser.chunked())
    return refuse(400, "the request to open a WebSocket has no body");
  const std::string key(request["Sec-WebSocket-Key"]);
  if (request.count("Sec-WebSocket-Key") != 1 || !is_key(key))
    return refuse(400, "Sec-WebSocket-Key must be 16 bytes in base64, once");
  if (!is_allowed(rules_.allowed_origins, request["Origin"]))
    return refuse(403, "pages of this Origin may not connect: see allowed_origins of the listener");
  const auto* const chosen = std::ranges::find_if(kSubprotocols, [&](std::string_view one) {
    return has_token(request, "Sec-WebSocket-Protocol", one, true);
  });
  if (chosen == kSubprotocols.end()) return refuse(400, "Sec-WebSocket-Protocol must offer mqtt or mqttv3.1");
  answer_ =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      accept_value(key) + "\r\nSec-WebSocket-Protocol: " + std::string(*chosen) + "\r\n\r\n";
  return State::Accepted;
}

Upgrade::State Upgrade::refuse(int status, const std::string& why) {
  answer_ = refusal_text(status, why);
  refusal_ = "HTTP " + std::to_string(status) + ": " + why;
  return State::Refused;
}

std::string accept_value(const std::string& key) {
  const std::string text = key + std::string(kAcceptGuid);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  std::array<unsigned char, 4 * EVP_MAX_MD_SIZE> encoded{};
  const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(length)};
}

}  // namespace wake::gateway::websocket
