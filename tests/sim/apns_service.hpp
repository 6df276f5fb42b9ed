// The APNs simulator's rule book: apns_rules and provider_tokens behind the shared Service, plus what Apple
// does to a connection (one stream until the first valid token, fewer streams after many refusals).
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "tests/sim/provider_tokens.hpp"
#include "tests/sim/rate.hpp"
#include "tests/sim/service.hpp"

namespace wake::sim {

class ApnsService final : public Service {
 public:
  /// `keys` and `settings` outlive it; `environment` is "production" or "sandbox".
  ApnsService(const Keys& keys, std::string environment, const Settings& settings);

  const char* name() const override { return "apns-sim"; }
  Verdict judge(const Request&, Time now) override;
  void script(Verdict&, const Answer&, Time now) const override;
  void on_open(ConnectionId id) override { connections_[id]; }
  void on_close(ConnectionId id) override;
  void on_answered(ConnectionId, int status) override;
  std::uint32_t stream_limit(ConnectionId) const override;
  /// {"token": hex, "environment"?: "sandbox"|"production", "topic"?: bundle id}
  void declare(const nlohmann::json&) override;
  std::string credential(Time now) override;
  std::string canonical_token(std::string token) const override;
  void reset() override;

 private:
  struct Declared {
    std::string environment, topic;  // empty: not said
  };
  struct PerConnection {
    bool trusted = false;        // a request with a valid token was seen
    std::uint32_t refusals = 0;  // in a row
  };

  Verdict refuse(const Request&, std::string target, const char* reason) const;
  const char* check_declared(const Push&) const;

  const Keys& keys_;
  std::string environment_;
  const Settings& settings_;
  ProviderTokens tokens_;
  Rate per_device_;
  std::unordered_map<std::string, Declared> declared_;
  std::unordered_map<ConnectionId, PerConnection> connections_;
};

}  // namespace wake::sim
