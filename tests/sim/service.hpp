// What tells the APNs simulator from the FCM one: the rules. Everything else (sockets, scripts, phones, log,
// control port) is shared. A service keeps what its rules need to remember, per connection where they say so.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "tests/sim/exchange.hpp"
#include "tests/sim/script.hpp"

namespace wake::sim {

class Service {
 public:
  virtual ~Service() = default;

  virtual const char* name() const = 0;  // "apns-sim", for log lines
  /// The provider's own answer, scripts aside. Credentials are really verified here.
  virtual Verdict judge(const Request&, Time now) = 0;
  /// Replaces the reply (and reason) of an accepted verdict by the scripted one, in the provider's shape.
  virtual void script(Verdict&, const Answer&, Time now) const = 0;

  virtual void on_open(ConnectionId) {}
  virtual void on_close(ConnectionId) {}
  /// After a reply was handed to the connection.
  virtual void on_answered(ConnectionId, int status) { (void)status; }
  /// SETTINGS_MAX_CONCURRENT_STREAMS the connection should have now.
  virtual std::uint32_t stream_limit(ConnectionId) const = 0;

  /// `POST /tokens`: what is known of a device token from now on. Throws std::invalid_argument.
  virtual void declare(const nlohmann::json&) = 0;
  /// `GET /credential`: an authorization header that this simulator takes, for use with curl by hand.
  virtual std::string credential(Time now) = 0;
  virtual bool speaks_http1() const { return false; }
  /// The way a token is written everywhere (scripts, phones): APNs lowers its hex.
  virtual std::string canonical_token(std::string token) const { return token; }
  virtual void reset() = 0;
};

}  // namespace wake::sim
