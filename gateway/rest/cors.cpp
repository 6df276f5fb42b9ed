#include "gateway/rest/cors.hpp"

#include <algorithm>

namespace wake::gateway::rest {
namespace {

constexpr const char* kReadable =
    "ETag, Retry-After, X-Request-Id, Idempotency-Replayed, Allow, WWW-Authenticate";
constexpr const char* kSendable =
    "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, X-Request-Id";
constexpr const char* kPreflightHoldsS = "600";

void allow_sending(Response& response) {
  const auto allow =
      std::ranges::find(response.headers, std::string("Allow"), &std::pair<std::string, std::string>::first);
  if (allow == response.headers.end()) return;  // no such path: nothing may be sent
  const std::string methods = allow->second;
  response.headers.emplace_back("Access-Control-Allow-Methods", methods);
  response.headers.emplace_back("Access-Control-Allow-Headers", kSendable);
  response.headers.emplace_back("Access-Control-Max-Age", kPreflightHoldsS);
}

}  // namespace

void add_cors(const std::vector<std::string>& allowed_origins, const CrossOrigin& asked, Response& response) {
  if (allowed_origins.empty()) return;
  response.headers.emplace_back("Vary", "Origin");  // else a cache shows one origin what another was answered
  if (std::ranges::find(allowed_origins, asked.origin) == allowed_origins.end()) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", asked.origin);
  response.headers.emplace_back("Access-Control-Allow-Credentials", "true");
  response.headers.emplace_back("Access-Control-Expose-Headers", kReadable);
  if (!asked.requested_method.empty()) allow_sending(response);
}

}  // namespace wake::gateway::rest
