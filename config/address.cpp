#include "config/address.hpp"

#include <charconv>

namespace wake::config {
namespace {

constexpr std::size_t kMaxUnixPath = 108 - 1;  // sun_path and its final zero
constexpr std::string_view kUnix = "unix:";

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

bool is_host(std::string_view text, std::string_view allowed) {
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!is_plain && allowed.find(c) == std::string_view::npos) return false;
  }
  return true;
}

std::optional<Address> parse_unix(std::string_view path) {
  const bool is_good =
      !path.empty() && path.front() == '/' && path.back() != '/' && path.size() <= kMaxUnixPath;
  if (!is_good) return std::nullopt;
  return Address{.host = {}, .port = 0, .unix_path = std::string(path)};
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  if (text.starts_with(kUnix)) return parse_unix(text.substr(kUnix.size()));
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_port(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  if (!port) return std::nullopt;
  if (host.starts_with('[')) {
    if (host.size() < 4 || !host.ends_with(']')) return std::nullopt;
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos || !is_host(host, ":.%")) return std::nullopt;
  } else if (!is_host(host, ".-_")) {
    return std::nullopt;
  }
  return Address{.host = std::string(host), .port = *port, .unix_path = {}};
}

}  // namespace wake::config
