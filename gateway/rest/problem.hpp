// The one door for errors of REST: every refusal is a Problem (RFC 9457), thrown by handlers inside
// gateway/rest and turned into an answer by the router. `fix` says what the caller can do about it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/rest/exchange.hpp"

namespace wake::gateway::rest {

struct Problem {
  int status = 500;
  std::string type;    // becomes "urn:wakemq:problem:<type>": stable, for programs
  std::string title;   // the same for every problem of the type
  std::string detail;  // this one
  std::string fix;     // what to do; empty: nothing
  std::string field;   // of the JSON body or query: "push.quiet_hours.start"; empty: none
  std::vector<std::pair<std::string, std::string>> headers{};
};

// One function per kind, so that status, type and title stay together.
Problem malformed_json(std::string detail);                                     // 400
Problem malformed_target();                                                     // 400
Problem unauthenticated(std::string detail);                                    // 401
Problem forbidden(std::string detail, std::string fix);                         // 403
Problem not_found(std::string what);                                            // 404
Problem method_not_allowed(std::string allow);                                  // 405
Problem conflict(std::string detail, std::string fix, std::string field = {});  // 409
Problem precondition_failed();                                                  // 412
Problem too_large(std::string detail);                                          // 413
Problem wrong_media_type();                                                     // 415
Problem invalid_field(std::string field, std::string expected);                 // 422
Problem unknown_field(std::string field, std::string known);                    // 422
Problem too_many_requests(std::string detail, int retry_after_s);               // 429
Problem internal_error();                                                       // 500
Problem storage_away();                                                         // 503
Problem webhook_away();                                                         // 503

/// `request_id`: of the X-Request-Id, which makes this occurrence of the problem findable in the log.
Response to_response(const Problem& problem, const std::string& request_id);

}  // namespace wake::gateway::rest
