// From a request to its answer: finds the route, asks who calls, runs the handler, turns every error into a
// problem. Knows no socket. Thread: any worker; blocks as the handlers do.
#pragma once

#include "gateway/rest/call.hpp"
#include "gateway/rest/exchange.hpp"

namespace wake::gateway::rest {

/// Answers by `respond`: before it returns, or later from another thread. Never throws.
void answer(Context& context, const Request& request, const std::string& request_id, const Respond& respond);

/// Needs no database and little time: /healthz, /readyz, /metrics, /openapi.json, /docs. The server runs
/// these apart, so that they answer while all workers wait for PostgreSQL.
bool is_observation(const Request& request);

}  // namespace wake::gateway::rest
