// The FCM simulator's rule book: fcm_rules and oauth behind the shared Service. One port serves both
// endpoints: POST /token and POST /v1/projects/<id>/messages:send.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "tests/sim/fcm_rules.hpp"
#include "tests/sim/oauth.hpp"
#include "tests/sim/rate.hpp"
#include "tests/sim/service.hpp"
#include "tests/sim/settings.hpp"

namespace wake::sim {

class FcmService final : public Service {
 public:
  /// `account` and `settings` outlive it.
  FcmService(const ServiceAccount& account, const Settings& settings);
  void set_token_uri(std::string uri) { oauth_.set_token_uri(std::move(uri)); }

  const char* name() const override { return "fcm-sim"; }
  Verdict judge(const Request&, Time now) override;
  void script(Verdict&, const Answer&, Time now) const override;
  std::uint32_t stream_limit(ConnectionId) const override { return settings_.max_concurrent_streams; }
  /// {"token": text, "project": id}: a token of another project is SENDER_ID_MISMATCH.
  void declare(const nlohmann::json&) override;
  std::string credential(Time now) override {
    return "Bearer " + oauth_.issue(settings_.access_token_s, now);
  }
  bool speaks_http1() const override { return true; }
  void reset() override;

 private:
  Verdict judge_send(const Request&, const std::string& project, Time now);
  std::optional<fcm::Problem> check_access(const Request&, const std::string& project, Time now) const;
  std::optional<fcm::Problem> check_limits(const Push&, Time now);
  static void script_oauth(Verdict&, const Answer&);

  const ServiceAccount& account_;
  const Settings& settings_;
  OAuth oauth_;
  Rate rate_;
  std::unordered_map<std::string, std::string> project_of_token_;
};

}  // namespace wake::sim
