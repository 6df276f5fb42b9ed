// Hears what changed in the registry (NOTIFY wake_registry, sent by triggers of its tables), on a connection
// and a thread of its own. Notices carry names only; whoever hears looks again (registry_change.hpp).
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "db/outage.hpp"
#include "db/registry_change.hpp"
#include "push/log.hpp"

namespace wake::db {

class RegistryListener {
 public:
  struct Options {
    std::string url;
    Outage::Backoff backoff{};
  };
  /// Called from the listener's thread; they may block it. One that throws StorageAway has not done what it
  /// was told: that is a lost connection like any other, and ends in on_resync.
  struct Callbacks {
    std::function<void(const RegistryChange&)> on_change;
    /// The connection was lost and is back: anything may have changed meanwhile.
    std::function<void()> on_resync;
  };
  /// Starts the thread, which connects by itself.
  RegistryListener(Options options, Callbacks callbacks, push::LogSink log);
  ~RegistryListener();
  RegistryListener(const RegistryListener&) = delete;
  RegistryListener& operator=(const RegistryListener&) = delete;

  /// Whether every change from now on will be heard. Wait for it before the first load of the registry, or a
  /// change between the two is missed.
  bool wait_until_listening(std::chrono::milliseconds deadline);

 private:
  void run(std::stop_token stop);
  void listen(std::stop_token stop);
  void began_to_listen();
  void hear(const std::string& payload);

  const Options options_;
  const Callbacks callbacks_;
  Outage outage_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool is_listening_ = false;
  bool has_listened_ = false;
  std::optional<std::string> missed_;  // why something that was heard was not done
  std::jthread thread_;
};

}  // namespace wake::db
