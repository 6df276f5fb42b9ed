// A device that cannot speak REST completes a pairing by publishing $wake/pair (contract §6): the same rule
// as POST /v1/pairings/{code}/claim, the answer comes on the device's $wake/events.
#pragma once

#include <memory>

#include "broker-core/effects.hpp"
#include "gateway/rest/options.hpp"

namespace wake::db {
class Pool;
}

namespace wake::gateway {

class Authenticator;
class Port;

class DevicePairing {
 public:
  /// Keeps the references.
  DevicePairing(const RestOptions& options, Port& port, Authenticator& authenticator, db::Pool& pool);
  ~DevicePairing();
  DevicePairing(const DevicePairing&) = delete;
  DevicePairing& operator=(const DevicePairing&) = delete;

  /// Blocks; any worker. The device hears {"type":"paired",…}, to {"reset":true} {"type":"reset",…}, or
  /// {"type":"pairing_failed","detail":…,"fix":…}.
  void claim(const broker::PairRequest& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wake::gateway
