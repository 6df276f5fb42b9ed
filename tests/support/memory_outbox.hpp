// The other push::Outbox: keeps every resolution in memory, in order, and lets a test wait for one. Any
// thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "push/outbox.hpp"

namespace wake::tests {

class MemoryOutbox final : public push::Outbox {
 public:
  void resolve(std::vector<push::Resolution> resolutions) override {
    const std::scoped_lock lock(mutex_);
    std::move(resolutions.begin(), resolutions.end(), std::back_inserter(all_));
    changed_.notify_all();
  }

  using Test = std::function<bool(const push::Resolution&)>;

  /// The first resolution that passes, or nothing after `patience`.
  std::optional<push::Resolution> wait_for(const Test& test,
                                           std::chrono::seconds patience = std::chrono::seconds{15}) {
    std::unique_lock lock(mutex_);
    auto found = all_.end();
    changed_.wait_for(lock, patience, [&] {
      found = std::find_if(all_.begin(), all_.end(), test);
      return found != all_.end();
    });
    return found == all_.end() ? std::nullopt : std::optional(*found);
  }

  /// The first of this notification, and of this kind when one is given.
  std::optional<push::Resolution> wait_for(const push::NotificationKey& key,
                                           std::optional<push::Resolution::Kind> kind = std::nullopt,
                                           std::chrono::seconds patience = std::chrono::seconds{15}) {
    return wait_for([&](const push::Resolution& r) { return r.key == key && (!kind || r.kind == *kind); },
                    patience);
  }

  /// Whether `count` resolutions pass within `patience`.
  bool wait_for_count(std::size_t count, const Test& test,
                      std::chrono::seconds patience = std::chrono::seconds{15}) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] {
      return static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), test)) >= count;
    });
  }

  std::vector<push::Resolution> all() const {
    const std::scoped_lock lock(mutex_);
    return all_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<push::Resolution> all_;
};

}  // namespace wake::tests
