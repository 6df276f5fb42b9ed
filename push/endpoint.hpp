// Where a provider lives: "https://host:port" of the configuration, taken apart.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wake::push {

struct Endpoint {
  std::string host;  // without brackets
  std::string port;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// `scheme://host[:port][/]`; IPv6 in brackets. Nothing when the scheme differs, the host is empty, the port
/// is not 1..65535, or anything follows.
std::optional<Endpoint> parse_endpoint(std::string_view url, std::string_view scheme,
                                       std::string_view default_port);

/// host:port as `:authority` and CONNECT want it: the brackets back, port 443 left out when `is_https`.
std::string authority_of(const Endpoint& endpoint, bool is_https);

}  // namespace wake::push
