// Which of the gateways on one database runs which bridge: advisory locks on a connection of its own, so that
// exactly one holds each, and another takes it over as soon as PostgreSQL sees the holder's connection end.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "db/connection_fwd.hpp"
#include "db/outage.hpp"
#include "push/log.hpp"

namespace wake::db {

class BridgeLease {
 public:
  struct Options {
    std::string url;
    std::vector<std::string> bridges;  // their names
    std::chrono::milliseconds check_every{
        1'000};  // how soon a dead holder is followed, a lost connection noticed
    Outage::Backoff backoff{};
  };
  /// `changed` is called from the lease's thread whenever a bridge becomes ours or is no longer. Who loses it
  /// must stop at once: another may have it already.
  using Changed = std::function<void(const std::string& bridge, bool is_held)>;

  /// Does not block; without bridges there is no thread and no connection.
  BridgeLease(Options options, Changed changed, push::LogSink log);
  /// All become free, without a word to `changed`.
  ~BridgeLease();
  BridgeLease(const BridgeLease&) = delete;
  BridgeLease& operator=(const BridgeLease&) = delete;

 private:
  class Holder;
  void watch(const std::stop_token& stop);
  void lose_all();

  const Options options_;
  const Changed changed_;
  Outage outage_;
  std::unique_ptr<Holder> holder_;  // the thread's own
  std::jthread thread_;
};

/// The filters that a bridge asks the other broker for.
struct BridgeFilters {
  std::string bridge;
  std::vector<std::string> filters;
};
/// What each bridge of `wanted` has asked for earlier and does not any more. Notes `wanted`, and forgets
/// bridges that are not in it. Blocks; throws StorageAway.
std::vector<BridgeFilters> exchange_bridge_filters(Connection& connection,
                                                   const std::vector<BridgeFilters>& wanted);

}  // namespace wake::db
