// How many MQTT connections the process lets in, and how fast: [limits] max_connections and
// connects_per_second, shared by all shards; how many of one peer is address_limit.hpp's. Who is not let in
// waits in the kernel's accept queue. Any thread; accepting is rare enough for a lock.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "gateway/listen/address_limit.hpp"
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
        : admission_(std::exchange(other.admission_, nullptr)), share_(std::move(other.share_)) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(admission_, other.admission_);
      std::swap(share_, other.share_);
      return *this;
    }
    ~Place() {
      if (admission_ != nullptr) admission_->release();
    }
    /// Once the peer's address is known. `address`: "host:port"; of a Unix socket there is none to count.
    /// False: that peer has max_connections_per_address already.
    [[nodiscard]] bool claim(const std::string& address) {
      if (admission_ == nullptr) return false;
      auto share = admission_->addresses_.claim(address.substr(0, address.rfind(':')));
      if (!share) return false;
      share_ = std::move(*share);
      return true;
    }

   private:
    Admission* admission_ = nullptr;
    AddressLimit::Share share_;
  };

  struct Answer {
    std::optional<Place> place;     // empty: not now
    broker::SteadyTime retry_at{};  // when empty
    bool is_full = false;           // when empty: max_connections is reached, not the rate
  };

  /// How soon to ask again when all places are taken: one becomes free unannounced.
  static constexpr std::chrono::milliseconds kFullRetry{100};

  /// `addresses` outlives it.
  Admission(std::uint32_t max_connections, std::uint32_t connects_per_second, AddressLimit& addresses)
      : max_connections_(max_connections), addresses_(addresses), bucket_(connects_per_second) {}

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

 private:
  void release() {
    const std::lock_guard lock(mutex_);
    --connections_;
  }

  const std::uint32_t max_connections_;
  AddressLimit& addresses_;
  mutable std::mutex mutex_;
  std::uint32_t connections_ = 0;
  TokenBucket bucket_;
};

}  // namespace wake::gateway
