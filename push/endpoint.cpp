#include "push/endpoint.hpp"

#include <charconv>

namespace wake::push {
namespace {

bool is_port(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() && number >= 1 && number <= 65535;
}

}  // namespace

std::optional<Endpoint> parse_endpoint(std::string_view url, std::string_view scheme,
                                       std::string_view default_port) {
  if (!url.starts_with(scheme) || !url.substr(scheme.size()).starts_with("://")) return std::nullopt;
  url.remove_prefix(scheme.size() + 3);
  if (url.ends_with('/')) url.remove_suffix(1);
  std::string_view host = url;
  std::string_view rest;
  if (url.starts_with('[')) {
    const auto close = url.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host = url.substr(1, close - 1);
    rest = url.substr(close + 1);
  } else if (const auto colon = url.find(':'); colon != std::string_view::npos) {
    host = url.substr(0, colon);
    rest = url.substr(colon);
  }
  if (host.empty() || host.find_first_of("/?#@ \t\r\n") != std::string_view::npos) return std::nullopt;
  if (rest.empty()) return Endpoint{std::string(host), std::string(default_port)};
  if (rest[0] != ':' || !is_port(rest.substr(1))) return std::nullopt;
  return Endpoint{std::string(host), std::string(rest.substr(1))};
}

std::string authority_of(const Endpoint& endpoint, bool is_https) {
  const bool is_ipv6 = endpoint.host.find(':') != std::string::npos;
  std::string authority = is_ipv6 ? '[' + endpoint.host + ']' : endpoint.host;
  if (!is_https || endpoint.port != "443") authority += ':' + endpoint.port;
  return authority;
}

}  // namespace wake::push
