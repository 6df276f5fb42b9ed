#include "gateway/rest/etag.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "gateway/auth/secret.hpp"
#include "gateway/rest/call.hpp"
#include "gateway/rest/problem.hpp"

namespace wake::gateway::rest {
namespace {

constexpr std::size_t kTagBytes = 16;  // of the digest

std::string_view without_spaces(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

/// Is `tag` one of the field's list, or is the field *? Our tags hold no comma, so others may be cut at
/// theirs.
bool names(std::string_view field, std::string_view tag, bool may_be_weak) {
  if (without_spaces(field) == "*") return true;
  while (!field.empty()) {
    const std::size_t comma = std::min(field.find(','), field.size());
    std::string_view one = without_spaces(field.substr(0, comma));
    if (may_be_weak && one.starts_with("W/")) one.remove_prefix(2);
    if (one == tag) return true;
    field.remove_prefix(std::min(comma + 1, field.size()));
  }
  return false;
}

}  // namespace

std::string etag_of(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const std::string digest = sha256(bytes);
  std::string tag = "\"";
  for (std::size_t i = 0; i < kTagBytes; ++i) {
    const auto byte = static_cast<unsigned char>(digest[i]);
    tag += kDigits[byte >> 4];
    tag += kDigits[byte & 15];
  }
  return tag + '"';
}

Response with_etag(const Request& request, Response response) {
  if (request.method != "GET" || response.status != 200) return response;
  const std::string tag = etag_of(response.body);
  response.headers.emplace_back("ETag", tag);
  response.headers.emplace_back("Cache-Control", "private, no-cache");
  if (request.if_none_match.empty() || !names(request.if_none_match, tag, true)) return response;
  return {.status = 304, .content_type = "", .body = "", .headers = std::move(response.headers)};
}

void require_match(const Request& request, const nlohmann::json& current) {
  if (request.if_match.empty()) return;
  if (!names(request.if_match, etag_of(json_response(200, current).body), false)) throw precondition_failed();
}

void require_match_of_nothing(const Request& request) {
  if (!request.if_match.empty()) throw precondition_failed();
}

}  // namespace wake::gateway::rest
