#include "db/node_lease.hpp"

#include <condition_variable>
#include <stdexcept>

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "db/exec.hpp"
#include "db/sql/node.sql.hpp"
#include "db/storage_away.hpp"

namespace wake::db {

class NodeLease::Holder {
 public:
  /// Tries `preferred` first, then from the lowest on.
  Holder(const std::string& url, int preferred) : connection_(url) {
    pqxx::nontransaction session(connection_);
    if (preferred >= 0 && try_lock(session, preferred)) return;
    for (int number = 0; number < kNodeCount; ++number) {
      if (try_lock(session, number)) return;
    }
    throw std::runtime_error("all 32 node numbers are held: 32 wakemq processes use this database already");
  }
  int number() const { return number_; }
  /// Throws when the server has closed the connection, which sets the lock free.
  void check() { connection_.get_notifs(); }

 private:
  bool try_lock(pqxx::nontransaction& session, int number) {
    if (!exec(session, sql::try_node_lock, number)[0][0].as<bool>()) return false;
    number_ = number;
    return true;
  }

  pqxx::connection connection_;
  int number_ = -1;
};

NodeLease::NodeLease(Options options, std::function<void(int)> changed, push::LogSink log)
    : options_(std::move(options)),
      changed_(std::move(changed)),
      outage_("db.node_lease", options_.backoff, std::move(log)) {
  holder_ = with_storage_errors([&] { return std::make_shared<Holder>(options_.url, -1); });
  number_ = holder_->number();
  is_held_ = true;
  thread_ = std::jthread([this](std::stop_token stop) { watch(stop); });
}

void NodeLease::watch(std::stop_token stop) {
  std::condition_variable_any never;
  auto wait = options_.check_every;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      never.wait_for(lock, stop, wait, [] { return false; });
    }
    if (stop.stop_requested()) return;
    wait = options_.check_every;
    try {
      if (holder_) {
        with_storage_errors([&] { holder_->check(); });
      } else {
        take_again();
      }
    } catch (const std::runtime_error& error) {
      wait = outage_.began(error.what());
      lose();
    }
  }
}

void NodeLease::take_again() {
  holder_ = with_storage_errors([&] { return std::make_shared<Holder>(options_.url, number_); });
  number_ = holder_->number();
  is_held_ = true;
  outage_.over();
  if (changed_) changed_(number_);
}

void NodeLease::lose() {
  holder_.reset();
  if (is_held_.exchange(false) && changed_) changed_(-1);
}

}  // namespace wake::db
