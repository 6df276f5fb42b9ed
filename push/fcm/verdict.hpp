// Google's answers, as a table. Source: Firebase, "REST: projects.messages" and "ErrorCode"; "Scale FCM".
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "push/verdict.hpp"

namespace wake::push::fcm {

struct Response {
  int status = 0;
  std::optional<std::chrono::seconds> retry_after;
  std::string_view body;
};

/// What the error body says to a machine: FcmError's errorCode, and whether the violated field, or the rate
/// that was exceeded, names one phone. Text is read only where it can narrow a verdict, never to widen one.
struct ErrorBody {
  std::string status;      // error.status, e.g. "NOT_FOUND"; empty when the body is not Google's JSON
  std::string error_code;  // FcmError.errorCode; empty: no such detail
  bool is_about_token = false;
  bool is_device_rate = false;
};
ErrorBody parse_error(std::string_view body);

/// The row's `reason` is what it matches: errorCode first, else error.status; "" matches a body without
/// either.
std::span<const VerdictRow> verdict_table();
/// Never fails: what is in no row is judged by the class of its status.
const VerdictRow& classify(int status, const ErrorBody& error);
Answer understand(const Response& response);

}  // namespace wake::push::fcm
