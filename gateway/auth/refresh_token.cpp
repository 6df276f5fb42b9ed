#include "gateway/auth/refresh_token.hpp"

#include <string>

namespace wake::gateway {
namespace {

constexpr std::string_view kPrefix = "wrt_";
constexpr std::size_t kPartLength = 43;  // 256 bits in base64url

}  // namespace

Secret RefreshToken::text() const {
  std::string text(kPrefix);
  text.reserve(kPrefix.size() + 2 * kPartLength + 1);
  text.append(family.reveal()).append(".").append(current.reveal());
  return Secret(std::move(text));
}

RefreshToken make_refresh_token() { return {make_refresh_part(), make_refresh_part()}; }

std::optional<RefreshToken> parse_refresh_token(std::string_view text) {
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  if (text.size() != 2 * kPartLength + 1 || text[kPartLength] != '.') return std::nullopt;
  return RefreshToken{Secret(std::string(text.substr(0, kPartLength))),
                      Secret(std::string(text.substr(kPartLength + 1)))};
}

}  // namespace wake::gateway
