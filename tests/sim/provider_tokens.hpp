// APNs provider tokens (Apple, Establishing a token-based connection to APNs): signature, age, how often they
// change, which keys may share a connection. Pure but for what it remembers; time is an argument.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/sim/exchange.hpp"
#include "tests/sim/keys.hpp"
#include "tests/sim/settings.hpp"

namespace wake::sim {

/// A refusal in Apple's words; nullptr: taken.
using Refusal = const char*;

class ProviderTokens {
 public:
  /// `keys` and `settings` outlive it; `environment` is "production" or "sandbox".
  ProviderTokens(const std::vector<ApnsKey>& keys, std::string environment, const Settings& settings)
      : keys_(keys), environment_(std::move(environment)), settings_(settings) {}

  /// May this authorization header ("bearer <JWT>", or absent) be used on this connection now?
  Refusal check(ConnectionId, std::optional<std::string_view> authorization, Time now);
  void forget(ConnectionId connection) { connections_.erase(connection); }
  void reset();

 private:
  struct Seen {                    // a token whose signature was verified once
    const ApnsKey* key = nullptr;  // nullptr: not valid
    std::int64_t iat = 0;
  };
  struct PerConnection {
    std::string token;  // in use
    const ApnsKey* key = nullptr;
    Time since{};  // when it was first used here
    bool wedged = false;
  };

  const Seen& look_at(const std::string& token);
  Refusal check_token(const Seen&, Time now) const;
  Refusal check_change(PerConnection&, const Seen&, const std::string& token, Time now);
  bool is_revoked(const ApnsKey&) const;

  const std::vector<ApnsKey>& keys_;
  std::string environment_;
  const Settings& settings_;
  std::unordered_map<std::string, Seen> seen_;  // bounded, see look_at
  std::unordered_map<ConnectionId, PerConnection> connections_;
  std::unordered_map<const ApnsKey*, std::pair<std::string, Time>> newest_;  // for token_change_per_key
};

}  // namespace wake::sim
