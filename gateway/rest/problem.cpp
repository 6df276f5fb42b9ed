#include "gateway/rest/problem.hpp"

#include <nlohmann/json.hpp>

namespace wake::gateway::rest {

Problem malformed_json(std::string detail) {
  return {400, "malformed-json", "The body is not JSON", std::move(detail), "Send one JSON object.", {}};
}
Problem malformed_target() {
  return {400,
          "malformed-target",
          "The path or query cannot be read",
          "Bad percent-encoding, or text that is not UTF-8.",
          "Percent-encode each path segment (RFC 3986).",
          {}};
}
Problem unauthenticated(std::string detail) {
  return {401,
          "unauthenticated",
          "Who is asking is not known",
          std::move(detail),
          "Send Authorization: Bearer with an access token (POST /v1/auth/token) or an API key, or HTTP "
          "Basic with a "
          "device's id and secret.",
          {},
          {{"WWW-Authenticate", "Bearer realm=\"wakemq\", Basic realm=\"wakemq\", charset=\"UTF-8\""}}};
}
Problem forbidden(std::string detail, std::string fix) {
  return {403, "forbidden", "Not permitted", std::move(detail), std::move(fix), {}};
}
Problem not_found(std::string what) {
  return {404, "not-found", "Nothing here", what + ": no such thing, or not yours.", {}, {}};
}
Problem method_not_allowed(std::string allow) {
  return {405, "method-not-allowed", "This path has no such method", "It has: " + allow + ".", {},
          {},  {{"Allow", allow}}};
}
Problem conflict(std::string detail, std::string fix, std::string field) {
  return {
      409, "conflict", "It clashes with what is there", std::move(detail), std::move(fix), std::move(field)};
}
Problem precondition_failed() {
  return {412,
          "precondition-failed",
          "It is not as you saw it",
          "If-Match names none of what is there now: somebody else was quicker.",
          "GET it again, decide anew, and send its ETag.",
          {}};
}
Problem too_large(std::string detail) {
  return {413, "too-large", "Too large", std::move(detail), "Send less.", {}};
}
Problem wrong_media_type() {
  return {415,
          "wrong-media-type",
          "The body is not declared as JSON",
          "Content-Type is not application/json.",
          "Send Content-Type: application/json.",
          {}};
}
Problem invalid_field(std::string field, std::string expected) {
  return {422,  "invalid-field", "A field cannot be accepted", field + ": expected " + expected + ".", {},
          field};
}
Problem unknown_field(std::string field, std::string known) {
  return {422,
          "unknown-field",
          "There is no such field",
          field + " is not a field of this request.",
          known.empty() ? "Leave it out: this request takes no fields."
                        : "Leave it out. Fields here: " + known + ".",
          field};
}
Problem too_many_requests(std::string detail, int retry_after_s) {
  return {429,
          "too-many-requests",
          "Too many",
          std::move(detail),
          "Wait, then try again.",
          {},
          {{"Retry-After", std::to_string(retry_after_s)}}};
}
Problem internal_error() {
  return {500,
          "internal-error",
          "The gateway failed",
          "The log has the cause under this request's X-Request-Id.",
          "Report it with the X-Request-Id.",
          {}};
}
Problem storage_away() {
  return {
      503,
      "storage-away",
      "The database cannot be asked now",
      "Whether a change was carried out is unknown; repeating the request is safe where it is idempotent.",
      "Try again after Retry-After. For operators: /readyz tells more.",
      {},
      {{"Retry-After", "2"}}};
}

Problem webhook_away() {
  return {503,
          "webhook-away",
          "Who is asking cannot be found out now",
          "The back end that knows these credentials does not answer as it should.",
          "Try again after Retry-After. For operators: the log tells more.",
          {},
          {{"Retry-After", "2"}}};
}

Response to_response(const Problem& problem, const std::string& request_id) {
  nlohmann::json body = {{"type", "urn:wakemq:problem:" + problem.type},
                         {"title", problem.title},
                         {"status", problem.status},
                         {"detail", problem.detail},
                         {"instance", "urn:wakemq:request:" + request_id}};
  if (!problem.fix.empty()) body["fix"] = problem.fix;
  if (!problem.field.empty()) body["field"] = problem.field;
  // A field name or id that the caller sent may be any bytes: what is not UTF-8 is replaced, never a failure.
  return {problem.status, "application/problem+json",
          body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), problem.headers};
}

}  // namespace wake::gateway::rest
