// $SYS/broker/... as Mosquitto names it: figures of all shards together, as retained messages.
//
// store/messages/... is what is retained and what sessions are owed, in memory or in PostgreSQL, as far as
// sessions have learned of it: a message that three sessions are owed counts three times, and one that
// expired in storage counts until its session has read on. Bytes are those of payloads and topics.
//
// load/... are moving averages per minute over 1, 5 and 15 minutes, computed as Mosquitto does.
// clients/maximum and heap/maximum are the most seen at the moments of measuring. Values that have not
// changed are not published again.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "broker-core/broker.hpp"
#include "gateway/bridge/bridges.hpp"
#include "gateway/mqtt/shard.hpp"

namespace wake::gateway {

/// What is measured at one moment.
struct SysReading {
  std::vector<ShardSnapshot> shards;
  std::vector<BridgeStatus> bridges;  // those that another gateway runs are left to it
  std::uint64_t heap_bytes = 0;       // in use, of the allocator
};

/// What malloc() has given out and not got back, of all threads.
std::uint64_t heap_bytes_in_use();

class SysTopics {
 public:
  explicit SysTopics(std::string version, broker::SteadyTime started)
      : version_(std::move(version)), started_(started), measured_(started) {}

  /// What has changed since the last call (at first: all).
  std::vector<broker::SysValue> update(const SysReading& reading, broker::SteadyTime now);

 private:
  struct Load {
    std::uint64_t total = 0;
    std::array<double, 3> per_minute{};
  };
  void put(const std::string& name, std::string payload);
  void put_bridges(const std::vector<BridgeStatus>& bridges);
  void put_load(const std::string& name, std::uint64_t total, double elapsed_minutes);

  std::string version_;
  broker::SteadyTime started_, measured_;
  std::uint64_t maximum_clients_ = 0, maximum_heap_ = 0;
  std::map<std::string, Load> loads_;
  std::map<std::string, std::string> published_;
  std::vector<broker::SysValue> changed_;
};

}  // namespace wake::gateway
