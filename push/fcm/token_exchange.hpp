// The one cold call: an assertion for an access token, over libcurl (RFC 7523). Blocks; runs on a thread of
// its own.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

namespace wake::push::fcm {

struct ExchangeRequest {
  std::string token_uri;
  std::string assertion;  // never logged
  std::string ca_file;    // empty: the system's roots
  std::string proxy;      // empty: none
};

struct ExchangeResult {
  enum class Kind {
    Granted,
    Refused,  // Google said no (invalid_grant …): asking again changes nothing until somebody repairs it
    Failed,   // network, 5xx: worth another try
  };
  Kind kind = Kind::Failed;
  std::string access_token;  // never logged
  std::chrono::seconds expires_in{};
  std::string detail;  // what to tell the operator; empty when granted
};

/// At most 15 s, or until `is_stopping` is set (noticed within about a second).
ExchangeResult exchange_assertion(const ExchangeRequest& request, const std::atomic<bool>& is_stopping);

/// Pure: what the answer of the token endpoint means.
ExchangeResult read_exchange_answer(long status, const std::string& body);

}  // namespace wake::push::fcm
