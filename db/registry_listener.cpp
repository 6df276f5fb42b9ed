#include "db/registry_listener.hpp"

#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/notification>

#include "db/exec.hpp"
#include "db/sql/registry.sql.hpp"
#include "db/storage_away.hpp"

namespace wake::db {
namespace {

// A stop is noticed after so long at most.
constexpr long kAwaitMicroseconds = 100'000;
// A peer that vanished without closing (cable, host) shows only when spoken to.
constexpr std::chrono::seconds kSpeakEvery{10};

class Receiver : public pqxx::notification_receiver {
 public:
  Receiver(pqxx::connection_base& connection, std::function<void(const std::string&)> hear)
      : notification_receiver(connection, "wake_registry"), hear_(std::move(hear)) {}
  void operator()(const std::string& payload, int) override { hear_(payload); }

 private:
  std::function<void(const std::string&)> hear_;
};

}  // namespace

RegistryListener::RegistryListener(Options options, Callbacks callbacks, push::LogSink log)
    : options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      outage_("db.registry_listener", options_.backoff, std::move(log)),
      thread_([this](std::stop_token stop) { run(stop); }) {}

RegistryListener::~RegistryListener() = default;

bool RegistryListener::wait_until_listening(std::chrono::milliseconds deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, deadline, [&] { return is_listening_; });
}

void RegistryListener::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    try {
      with_storage_errors([&] { listen(stop); });
    } catch (const std::runtime_error& error) {
      const auto wait = outage_.began(error.what());
      std::unique_lock lock(mutex_);
      is_listening_ = false;
      changed_.wait_for(lock, stop, wait, [] { return false; });
    }
  }
}

void RegistryListener::listen(std::stop_token stop) {
  pqxx::connection connection(options_.url);
  const Receiver receiver(connection, [this](const std::string& payload) { hear(payload); });
  began_to_listen();
  auto spoken = std::chrono::steady_clock::now();
  while (!stop.stop_requested()) {
    connection.await_notification(0, kAwaitMicroseconds);
    if (const auto missed = std::exchange(missed_, std::nullopt)) throw StorageAway(*missed);
    if (std::chrono::steady_clock::now() - spoken < kSpeakEvery) continue;
    pqxx::nontransaction(connection).exec(sql::listen_registry.text);
    spoken = std::chrono::steady_clock::now();
  }
}

void RegistryListener::began_to_listen() {
  outage_.over();
  bool is_again = false;
  {
    const std::scoped_lock lock(mutex_);
    is_again = std::exchange(has_listened_, true);
    is_listening_ = true;
  }
  changed_.notify_all();
  if (is_again && callbacks_.on_resync) callbacks_.on_resync();
}

/// libpqxx lets no exception out of here.
void RegistryListener::hear(const std::string& payload) try {
  if (const auto change = parse_registry_change(payload)) {
    if (callbacks_.on_change) callbacks_.on_change(*change);
    return;
  }
  // Not ours to understand (a newer schema's word): anything may have changed.
  if (callbacks_.on_resync) callbacks_.on_resync();
} catch (const StorageAway& error) {
  missed_ = error.what();
}

}  // namespace wake::db
