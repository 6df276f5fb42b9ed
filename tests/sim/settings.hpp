// What `POST /settings` can change while a simulator runs. One struct for both programs: a setting that means
// nothing to one of them is simply never asked. The defaults are the providers' own behaviour.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace wake::sim {

struct Settings {
  // Both
  std::uint32_t max_concurrent_streams = 1000;  // FCM starts with 100
  std::uint32_t delay_ms = 0;                   // before every answer that has no delay of its own
  std::uint32_t idle_close_ms = 0;      // GOAWAY session_timed_out after that quiet; 0: never. FCM 180000
  std::uint32_t device_per_minute = 0;  // per token, then 429; 0: no limit
  std::string tls = "ok";               // "fail": the handshake is cut off
  std::string alpn = "h2";              // "refuse": the handshake succeeds without a protocol
  // APNs
  bool first_token_gate = true;  // one stream until a request with a valid JWT was answered
  std::uint32_t refusals_to_shrink =
      20;  // in a row, 410 not counted: then one stream until one is taken; 0: off
  std::uint32_t token_change_s = 1200;    // a new JWT sooner is TooManyProviderTokenUpdates; 0: off
  bool token_change_per_key = false;      // the stricter reading: counted over all connections of a key
  bool wedge_after_expired = true;        // after ExpiredProviderToken the connection refuses fresh ones too
  std::vector<std::string> revoked_keys;  // key ids
  std::vector<std::string> topics;        // bundle ids this team may push to; empty: any
  // FCM
  std::uint32_t project_per_minute = 0;  // whole project, then 429; 0: no limit
  std::uint32_t access_token_s = 3599;   // lifetime of the tokens handed out from now on
  bool service_account_revoked = false;  // the token endpoint says invalid_grant
  bool permission_denied = false;        // messages:send says 403 without FcmError

  /// Changes the named members. Throws std::invalid_argument naming an unknown key or a wrong type; then
  /// nothing was changed.
  void apply(const nlohmann::json& changes);
};

nlohmann::json to_json(const Settings&);

}  // namespace wake::sim
