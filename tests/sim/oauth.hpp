// Google's token endpoint for service accounts (RFC 7523; Google, Using OAuth 2.0 for server to server
// applications) and the access tokens it has handed out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "tests/sim/exchange.hpp"
#include "tests/sim/keys.hpp"

namespace wake::sim {

enum class AccessState { Valid, Expired, Unknown };

class OAuth {
 public:
  /// `account` outlives it.
  explicit OAuth(const ServiceAccount& account) : account_(account) {}
  void set_token_uri(std::string uri) { token_uri_ = std::move(uri); }

  /// Answers POST <token_uri>. The verdict's reason is Google's `error` word.
  Verdict exchange(const Request&, std::uint32_t lifetime_s, bool revoked, Time now);
  std::string issue(std::uint32_t lifetime_s, Time now);
  AccessState state_of(std::string_view access_token, Time now) const;
  void reset() { expires_.clear(); }

  static Verdict refusal(const std::string& error, const std::string& description);

 private:
  /// What is wrong with the assertion; empty: nothing.
  std::string problem_with(const std::string& assertion, Time now) const;

  const ServiceAccount& account_;
  std::string token_uri_;
  std::map<std::string, Time, std::less<>> expires_;  // by access token
};

}  // namespace wake::sim
