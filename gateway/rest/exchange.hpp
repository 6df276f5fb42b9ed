// One HTTP request and its answer, without the HTTP library: what handlers see.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wake::gateway::rest {

struct Request {
  std::string method;         // "GET"; HEAD arrives as GET, the server drops the body
  std::string target;         // as sent: "/v1/me/topics?limit=5"
  std::string authorization;  // the whole header; never logged
  std::string content_type;
  std::string if_match;  // RFC 9110 section 13.1; empty: not there, as are the next two
  std::string if_none_match;
  std::string idempotency_key;
  std::string body;
  std::string address;         // of the peer, without port
  std::string certificate_cn;  // of a verified client certificate; empty: none
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// Takes the answer to one request; from any thread, at any time. A second answer goes nowhere.
using Respond = std::function<void(Response)>;

/// A target taken apart: percent-decoded segments and parameters.
struct Target {
  std::vector<std::string> segments;         // "/v1/a%2Fb" has "v1", "a/b"
  std::map<std::string, std::string> query;  // a repeated name keeps its last value
};
/// Empty: bad percent-encoding, not UTF-8, or U+0000.
std::optional<Target> parse_target(const std::string& target);

/// RFC 4648 §4 with padding. Empty optional: not base64.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace wake::gateway::rest
