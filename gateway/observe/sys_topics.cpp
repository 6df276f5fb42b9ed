#include "gateway/observe/sys_topics.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include <malloc.h>

namespace wake::gateway {

namespace {

struct Figure {
  const char* name;
  std::uint64_t (*read)(const ShardSnapshot&);
};

/// Summed over the shards.
constexpr Figure kSums[] = {
    {"clients/total", [](const ShardSnapshot& s) { return s.broker.sessions; }},
    {"clients/connected", [](const ShardSnapshot& s) { return s.broker.clients_connected; }},
    {"clients/expired", [](const ShardSnapshot& s) { return s.broker.sessions_expired; }},
    {"messages/received", [](const ShardSnapshot& s) { return s.broker.packets_received; }},
    {"messages/sent", [](const ShardSnapshot& s) { return s.broker.packets_sent; }},
    {"publish/messages/received", [](const ShardSnapshot& s) { return s.broker.publishes_received; }},
    {"publish/messages/sent", [](const ShardSnapshot& s) { return s.broker.publishes_sent; }},
    {"publish/messages/dropped",
     [](const ShardSnapshot& s) { return s.broker.publishes_dropped + s.broker.messages_refused; }},
    {"publish/bytes/received", [](const ShardSnapshot& s) { return s.broker.publish_bytes_received; }},
    {"publish/bytes/sent", [](const ShardSnapshot& s) { return s.broker.publish_bytes_sent; }},
    {"bytes/received", [](const ShardSnapshot& s) { return s.broker.bytes_received; }},
    {"bytes/sent", [](const ShardSnapshot& s) { return s.sockets.bytes_sent; }},
    {"subscriptions/count",
     [](const ShardSnapshot& s) { return s.broker.subscriptions + s.broker.shared_subscriptions; }},
    {"store/messages/count", [](const ShardSnapshot& s) { return s.broker.queued_messages; }},
    {"store/messages/bytes", [](const ShardSnapshot& s) { return s.broker.queued_bytes; }},
    {"shared_subscriptions/count", [](const ShardSnapshot& s) { return s.broker.shared_subscriptions; }},
};

/// load/NAME is the rate of this sum.
constexpr std::pair<const char*, const char*> kLoads[] = {
    {"messages/received", "messages/received"},
    {"messages/sent", "messages/sent"},
    {"publish/received", "publish/messages/received"},
    {"publish/sent", "publish/messages/sent"},
    {"publish/dropped", "publish/messages/dropped"},
    {"bytes/received", "bytes/received"},
    {"bytes/sent", "bytes/sent"},
};

constexpr std::array kSpans = {std::pair{"1min", 1.0}, std::pair{"5min", 5.0}, std::pair{"15min", 15.0}};

}  // namespace

std::vector<broker::SysValue> SysTopics::update(const SysReading& reading, broker::SteadyTime now) {
  changed_.clear();
  std::map<std::string_view, std::uint64_t> sums;
  std::uint64_t connects = 0;
  std::uint64_t sockets = 0;
  std::uint64_t retained = 0;
  std::uint64_t retained_bytes = 0;
  for (const ShardSnapshot& shard : reading.shards) {
    for (const Figure& figure : kSums) sums[figure.name] += figure.read(shard);
    connects += shard.broker.connects_accepted;
    sockets += shard.sockets_opened;
    retained = std::max(retained, shard.broker.retained);  // every shard has all of them
    retained_bytes = std::max(retained_bytes, shard.broker.retained_bytes);
  }
  sums["store/messages/count"] += retained;
  sums["store/messages/bytes"] += retained_bytes;
  const double elapsed_minutes = std::chrono::duration<double, std::ratio<60>>(now - measured_).count();
  measured_ = now;
  put("version", "wakemq version " + version_);
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(now - started_);
  put("uptime", std::to_string(uptime.count()) + " seconds");
  for (const auto& [name, sum] : sums) put(std::string(name), std::to_string(sum));
  const std::uint64_t connected = sums["clients/connected"];
  maximum_clients_ = std::max(maximum_clients_, connected);
  put("clients/maximum", std::to_string(maximum_clients_));
  const std::string away = std::to_string(sums["clients/total"] - std::min(connected, sums["clients/total"]));
  put("clients/disconnected", away);
  put("clients/inactive", away);  // Mosquitto's older names for the two
  put("clients/active", std::to_string(connected));
  put("retained messages/count", std::to_string(retained));
  for (const auto& [name, sum] : kLoads) put_load(name, sums[sum], elapsed_minutes);
  put("messages/stored", std::to_string(sums["store/messages/count"]));  // Mosquitto's older name for it
  put_load("connections", connects, elapsed_minutes);
  put_load("sockets", sockets, elapsed_minutes);
  maximum_heap_ = std::max(maximum_heap_, reading.heap_bytes);
  put("heap/current", std::to_string(reading.heap_bytes));
  put("heap/maximum", std::to_string(maximum_heap_));
  put_bridges(reading.bridges);
  return std::exchange(changed_, {});
}

/// Mosquitto's notifications of its bridges: 1 connected, 0 not.
void SysTopics::put_bridges(const std::vector<BridgeStatus>& bridges) {
  for (const BridgeStatus& bridge : bridges) {
    const std::string name = "connection/" + bridge.name + "/state";
    const bool was_ours = published_.contains(name);
    if (bridge.is_running || was_ours) put(name, bridge.is_running && bridge.relay.is_connected ? "1" : "0");
  }
}

std::uint64_t heap_bytes_in_use() {
  const struct mallinfo2 all = ::mallinfo2();
  return all.uordblks + all.hblkhd;
}

void SysTopics::put(const std::string& name, std::string payload) {
  std::string& known = published_[name];
  if (known == payload) return;
  known = payload;
  changed_.push_back({"$SYS/broker/" + name, std::move(payload)});
}

void SysTopics::put_load(const std::string& name, std::uint64_t total, double elapsed_minutes) {
  Load& load = loads_[name];
  const std::uint64_t more = total - std::min(load.total, total);  // less: a shard did not answer this time
  load.total = total;
  for (std::size_t i = 0; i < kSpans.size(); ++i) {
    const auto& [span_name, span_minutes] = kSpans[i];
    double& average = load.per_minute[i];
    if (elapsed_minutes > 0) {
      const double rate = static_cast<double>(more) / elapsed_minutes;
      average = rate + std::exp(-elapsed_minutes / span_minutes) * (average - rate);
    }
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%.2f", average);
    put("load/" + name + '/' + span_name, text.data());
  }
}

}  // namespace wake::gateway
