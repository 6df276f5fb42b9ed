// Google's checks of a messages:send request, as pure functions (Firebase, REST reference:
// projects.messages), and the shape of its errors. Credentials are in oauth.hpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "tests/sim/exchange.hpp"

namespace wake::sim::fcm {

/// The project of "/v1/projects/<id>/messages:send"; nullopt for any other path.
std::optional<std::string> project_of(std::string_view path);

/// An error of the API. `status` is Google's word ("NOT_FOUND"), `fcm_code` that of FcmError, empty for none.
struct Problem {
  int http = 400;
  std::string status, fcm_code, message;
  std::string field;  // of BadRequest.fieldViolations, empty for none
  std::string reason() const { return fcm_code.empty() ? status : fcm_code; }
};
Reply to_reply(const Problem&, const nlohmann::json* details = nullptr);

/// The usual answer for an errorCode ("UNREGISTERED") or a status without FcmError ("PERMISSION_DENIED");
/// nullopt for a word Google does not have.
std::optional<Problem> problem_named(std::string_view reason);

struct Checked {
  std::optional<Problem> problem;  // nullopt: taken, and `push` is whole
  bool validate_only = false;
  Push push;
};
Checked check_message(const Request&, const std::string& project, Time now);

}  // namespace wake::sim::fcm
