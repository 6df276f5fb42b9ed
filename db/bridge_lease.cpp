#include "db/bridge_lease.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>

#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include "db/account_row.hpp"
#include "db/exec.hpp"
#include "db/sql/node.sql.hpp"
#include "db/storage_away.hpp"

namespace wake::db {

class BridgeLease::Holder {
 public:
  explicit Holder(const std::string& url) : connection_(url) {}

  /// The bridge is ours now, and was not before.
  bool takes(const std::string& bridge) {
    if (held_.contains(bridge)) return false;  // a lock may be taken twice by who has it
    pqxx::nontransaction session(connection_);
    if (!exec(session, sql::try_bridge_lock, bridge)[0][0].as<bool>()) return false;
    held_.insert(bridge);
    return true;
  }
  /// Throws when the server has closed the connection, which sets the locks free.
  void check() { connection_.get_notifs(); }
  const std::set<std::string>& held() const { return held_; }

 private:
  pqxx::connection connection_;
  std::set<std::string> held_;
};

BridgeLease::BridgeLease(Options options, Changed changed, push::LogSink log)
    : options_(std::move(options)),
      changed_(std::move(changed)),
      outage_("db.bridge_lease", options_.backoff, std::move(log)) {
  if (options_.bridges.empty()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
}

BridgeLease::~BridgeLease() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void BridgeLease::watch(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  while (!stop.stop_requested()) {
    auto wait = options_.check_every;
    try {
      with_storage_errors([&] {
        if (!holder_) holder_ = std::make_unique<Holder>(options_.url);
        outage_.over();
        holder_->check();
        for (const std::string& bridge : options_.bridges) {
          if (holder_->takes(bridge)) changed_(bridge, true);
        }
      });
    } catch (const std::runtime_error& error) {
      wait = outage_.began(error.what());
      lose_all();
    }
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, wait, [] { return false; });
  }
}

void BridgeLease::lose_all() {
  if (!holder_) return;
  const std::set<std::string> lost = holder_->held();
  holder_.reset();
  for (const std::string& bridge : lost) changed_(bridge, false);
}

std::vector<BridgeFilters> exchange_bridge_filters(Connection& connection,
                                                   const std::vector<BridgeFilters>& wanted) {
  return with_storage_errors([&] {
    pqxx::work work(connection);
    std::vector<std::string> names;
    for (const BridgeFilters& one : wanted) names.push_back(one.bridge);
    exec(work, sql::forget_bridges, account::array_text(names));
    std::vector<BridgeFilters> former;
    for (const BridgeFilters& one : wanted) {
      const std::string filters = account::array_text(one.filters);
      exec(work, sql::add_bridge_filters, one.bridge, filters);
      former.push_back({one.bridge, {}});
      for (const auto& row : exec(work, sql::other_bridge_filters, one.bridge, filters))
        former.back().filters.push_back(row[0].as<std::string>());
    }
    work.commit();
    return former;
  });
}

}  // namespace wake::db
