// How many connections the process lets in, how fast, and how many of one address: [limits] max_connections,
// connects_per_second and max_connections_per_address, shared by all shards. Who is not let in waits in the
// kernel's accept queue. Any thread; accepting is rare enough for a lock.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "gateway/listen/token_bucket.hpp"

namespace wake::gateway {

class Admission {
 public:
  /// A connection's place among max_connections, until destroyed. Moves with the socket between shards.
  class Place {
   public:
    Place() = default;
    explicit Place(Admission& admission) : admission_(&admission) {}
    Place(Place&& other) noexcept
        : admission_(std::exchange(other.admission_, nullptr)), host_(std::exchange(other.host_, {})) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(admission_, other.admission_);
      std::swap(host_, other.host_);
      return *this;
    }
    ~Place() {
      if (admission_ != nullptr) admission_->release(host_);
    }
    /// Once the peer's address is known. `address`: "host:port"; of a Unix socket there is none to count.
    /// False: that host has max_connections_per_address already.
    [[nodiscard]] bool claim(const std::string& address) {
      std::string host = address.substr(0, address.rfind(':'));
      if (admission_ == nullptr || !admission_->count(host)) return false;
      host_ = admission_->max_per_address_ > 0 ? std::move(host) : std::string();
      return true;
    }

   private:
    Admission* admission_ = nullptr;
    std::string host_;  // counted; else empty
  };

  struct Answer {
    std::optional<Place> place;     // empty: not now
    broker::SteadyTime retry_at{};  // when empty
    bool is_full = false;           // when empty: max_connections is reached, not the rate
  };

  /// How soon to ask again when all places are taken: one becomes free unannounced.
  static constexpr std::chrono::milliseconds kFullRetry{100};

  /// max_per_address 0: no limit.
  Admission(std::uint32_t max_connections, std::uint32_t connects_per_second,
            std::uint32_t max_per_address = 0)
      : max_connections_(max_connections), max_per_address_(max_per_address), bucket_(connects_per_second) {}

  /// Asked once a connection is there to be accepted.
  Answer admit(broker::SteadyTime now) {
    const std::lock_guard lock(mutex_);
    if (connections_ >= max_connections_) return {std::nullopt, now + kFullRetry, true};
    if (!bucket_.take(now)) return {std::nullopt, bucket_.ready_at(now), false};
    ++connections_;
    return {std::make_optional<Place>(*this), {}, false};
  }
  std::uint32_t connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
  }

  /// Connections closed at once because their address had too many.
  std::uint64_t over_address_limit() const {
    const std::lock_guard lock(mutex_);
    return over_address_limit_;
  }

 private:
  bool count(const std::string& host) {
    if (max_per_address_ == 0 || host == "unix") return true;
    const std::lock_guard lock(mutex_);
    std::uint32_t& here = by_host_[host];
    if (here >= max_per_address_) {
      ++over_address_limit_;
      return false;
    }
    ++here;
    return true;
  }
  void release(const std::string& host) {
    const std::lock_guard lock(mutex_);
    --connections_;
    if (host.empty()) return;
    const auto counted = by_host_.find(host);
    if (counted != by_host_.end() && --counted->second == 0) by_host_.erase(counted);
  }

  const std::uint32_t max_connections_;
  const std::uint32_t max_per_address_;
  mutable std::mutex mutex_;
  std::uint32_t connections_ = 0;
  std::uint64_t over_address_limit_ = 0;
  std::unordered_map<std::string, std::uint32_t> by_host_;  // only where there is a limit
  TokenBucket bucket_;
};

}  // namespace wake::gateway
