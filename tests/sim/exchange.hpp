// The words both simulators share: a request as it arrived, the verdict of the rule book, the push it carries
// and the reply that leaves. Plain values; nothing here does I/O.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wake::sim {

/// UTC, because every rule of the providers is about Unix time. Rules take it as an argument and never ask a
/// clock.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
inline std::int64_t unix_seconds(Time t) {
  return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
}

/// One TCP connection since the program started, counted from 1.
using ConnectionId = std::uint64_t;

using Headers =
    std::vector<std::pair<std::string, std::string>>;  // names in lower case, in the order received

struct Request {
  ConnectionId connection = 0;
  std::int32_t stream = 0;  // HTTP/2 stream id; 1, 2, ... on an HTTP/1.1 connection
  std::string method, path;
  Headers headers;
  std::string body;            // at most kBodyKept bytes
  std::size_t body_bytes = 0;  // as sent, also where more came than was kept

  /// The first header of that name, or nullopt. `name` in lower case.
  std::optional<std::string_view> header(std::string_view name) const;
};
/// Far above every limit of the providers (4096, 5120), far below what could hurt the simulator.
constexpr std::size_t kBodyKept = 64 * 1024;

struct Reply {
  int status = 200;
  Headers headers;
  std::string body;
};

/// What reaches the fake phone when a request is taken.
struct Push {
  std::string token;
  std::string app;         // bundle id or Firebase project: a phone stores per app while it is off
  std::string id;          // apns-id, or FCM's message name
  std::string wake_id;     // wake.id / data.wake_id, when there is one
  std::string screen_key;  // a shown notification with the same key is replaced; empty: always a new one
  std::string store_key;   // FCM collapse_key, for what waits while the phone is off
  std::string title, body;
  bool silent = false;          // wakes the app, shows nothing
  bool storable = true;         // apns-expiration 0 or ttl "0s": now or never
  std::optional<Time> expires;  // when the provider gives it up while the phone is off
};

/// What the rule book says of one request. `push` is set exactly when a phone would get something.
struct Verdict {
  Reply reply;
  std::string reason;  // the provider's word, empty when accepted
  std::string target;  // device token the script is looked up by; "oauth" for the token endpoint
  std::string title;   // for the log line only
  std::optional<Push> push;
  bool accepted() const { return reason.empty(); }
};

}  // namespace wake::sim
