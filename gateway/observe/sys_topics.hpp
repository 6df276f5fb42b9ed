// $SYS/broker/... as Mosquitto names it: figures of all shards together, as retained messages. Mosquitto's
// heap and store sizes are left out: they would be guesses here.
//
// load/... are moving averages per minute over 1, 5 and 15 minutes, computed as Mosquitto does.
// clients/maximum is the most seen at the moments of measuring. Values that have not changed are not
// published again.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "broker-core/broker.hpp"
#include "gateway/mqtt/shard.hpp"

namespace wake::gateway {

class SysTopics {
 public:
  explicit SysTopics(std::string version, broker::SteadyTime started)
      : version_(std::move(version)), started_(started), measured_(started) {}

  /// What has changed since the last call (at first: all).
  std::vector<broker::SysValue> update(const std::vector<ShardSnapshot>& shards, broker::SteadyTime now);

 private:
  struct Load {
    std::uint64_t total = 0;
    std::array<double, 3> per_minute{};
  };
  void put(const std::string& name, std::string payload);
  void put_load(const std::string& name, std::uint64_t total, double elapsed_minutes);

  std::string version_;
  broker::SteadyTime started_, measured_;
  std::uint64_t maximum_clients_ = 0;
  std::map<std::string, Load> loads_;
  std::map<std::string, std::string> published_;
  std::vector<broker::SysValue> changed_;
};

}  // namespace wake::gateway
