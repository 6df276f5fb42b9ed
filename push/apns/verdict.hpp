// Apple's answers, as a table. Source: Apple, "Handling notification responses from APNs".
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "push/verdict.hpp"

namespace wake::push::apns {

/// What came back: `:status`, the header `apns-id`, `retry-after` already parsed, the JSON body as received.
struct Response {
  int status = 0;
  std::string_view apns_id;
  std::optional<std::chrono::seconds> retry_after;
  std::string_view body;
};

/// Every row, in the order of Apple's page; the test walks it.
std::span<const VerdictRow> verdict_table();

/// Never fails: an unknown reason is judged by the class of its status.
const VerdictRow& classify(int status, std::string_view reason);

/// Reads the body (`reason`, and `timestamp` in milliseconds with 410; anything else is an empty reason) and
/// classifies.
Answer understand(const Response& response);

}  // namespace wake::push::apns
