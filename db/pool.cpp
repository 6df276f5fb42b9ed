#include "db/pool.hpp"

#include <condition_variable>
#include <mutex>
#include <vector>

#include <pqxx/connection>
#include <pqxx/except>

namespace wake::db {

struct Pool::Shelf {
  std::mutex mutex;
  std::condition_variable came_back;
  std::vector<std::unique_ptr<Connection>> idle;  // the last used is taken first
  int opened = 0;                                 // idle and leased
};

namespace {

/// An idle connection that the server closed meanwhile shows it when its socket is read: first the server's
/// last words, then the end, hence twice.
bool is_alive(Connection& connection) {
  try {
    connection.get_notifs();
    connection.get_notifs();
    return connection.is_open();
  } catch (const pqxx::failure&) {
    return false;
  }
}

}  // namespace

Pool::Lease::Lease(Pool& pool, std::unique_ptr<Connection> connection)
    : pool_(&pool), connection_(std::move(connection)) {}

Pool::Lease::Lease(Lease&&) noexcept = default;

Pool::Lease::~Lease() {
  if (connection_) pool_->give_back(std::move(connection_));
}

Pool::Pool(DatabaseOptions options, std::chrono::milliseconds max_wait)
    : options_(std::move(options)), max_wait_(max_wait), shelf_(std::make_unique<Shelf>()) {}

Pool::~Pool() = default;

Pool::Lease Pool::lease() {
  std::unique_lock lock(shelf_->mutex);
  const auto may_go_on = [&] { return !shelf_->idle.empty() || shelf_->opened < options_.pool; };
  if (!shelf_->came_back.wait_for(lock, max_wait_, may_go_on)) {
    throw StorageAway("all " + std::to_string(options_.pool) + " database connections stayed in use for " +
                      std::to_string(max_wait_.count()) + " ms (database.pool)");
  }
  while (!shelf_->idle.empty()) {
    auto connection = std::move(shelf_->idle.back());
    shelf_->idle.pop_back();
    if (is_alive(*connection)) return Lease(*this, std::move(connection));
    --shelf_->opened;
  }
  ++shelf_->opened;
  lock.unlock();
  try {
    return Lease(*this, open());
  } catch (...) {
    give_back(nullptr);
    throw;
  }
}

std::unique_ptr<Connection> Pool::open() const {
  return with_storage_errors(
      [&]() -> std::unique_ptr<Connection> { return std::make_unique<pqxx::connection>(options_.url); });
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
  const bool keep = connection && connection->is_open();
  {
    const std::scoped_lock lock(shelf_->mutex);
    if (keep) {
      shelf_->idle.push_back(std::move(connection));
    } else {
      --shelf_->opened;
    }
  }
  shelf_->came_back.notify_one();
}

}  // namespace wake::db
