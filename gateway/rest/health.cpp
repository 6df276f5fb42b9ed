#include <algorithm>

#include <nlohmann/json.hpp>

#include "gateway/rest/embedded_texts.hpp"
#include "gateway/rest/handlers.hpp"

namespace wake::gateway::rest {

/// The process answers: nothing more is claimed.
Response get_health(const Call&) { return json_response(200, {{"status", "ok"}}); }

Response get_readiness(const Call& call) {
  const Readiness readiness = call.context.port.readiness();
  nlohmann::json parts = nlohmann::json::array();
  for (const Readiness::Part& part : readiness.parts) {
    parts.push_back({{"name", part.name}, {"ready", part.is_ready}});
    if (!part.detail.empty()) parts.back()["detail"] = part.detail;
  }
  const bool is_ready = std::all_of(readiness.parts.begin(), readiness.parts.end(),
                                    [](const auto& part) { return part.is_ready; });
  return json_response(is_ready ? 200 : 503,
                       {{"status", is_ready ? "ready" : "not ready"}, {"parts", std::move(parts)}});
}

Response get_metrics(const Call& call) {
  return {.status = 200,
          .content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = call.context.port.metrics() + call.context.own_metrics(),
          .headers = {}};
}

Response get_openapi(const Call&) {
  return {
      .status = 200, .content_type = "application/json", .body = std::string(openapi_text()), .headers = {}};
}

}  // namespace wake::gateway::rest
