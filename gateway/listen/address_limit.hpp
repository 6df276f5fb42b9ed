// How many connections one peer has, MQTT and HTTP together: [limits] max_connections_per_address. An IPv6
// peer is its /64, which is what one household or one server is given: counted singly, an attacker's
// addresses would never end. Any thread; connecting is rare enough for a lock.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace wake::gateway {

/// Whom a connection counts for: "192.0.2.1", or "2001:db8::/64" of any address in it. `host` without its
/// port, an IPv6 one in brackets or not. What is no IP address (a Unix socket's "unix") counts for nobody:
/// "".
std::string counted_as(std::string host);

class AddressLimit {
 public:
  /// One connection's share, until destroyed.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept
        : limit_(std::exchange(other.limit_, nullptr)), peer_(std::exchange(other.peer_, {})) {}
    Share& operator=(Share&& other) noexcept {
      std::swap(limit_, other.limit_);
      std::swap(peer_, other.peer_);
      return *this;
    }
    ~Share() {
      if (limit_ != nullptr) limit_->release(peer_);
    }

   private:
    friend class AddressLimit;
    Share(AddressLimit& limit, std::string peer) : limit_(&limit), peer_(std::move(peer)) {}
    AddressLimit* limit_ = nullptr;
    std::string peer_;
  };

  /// 0: no limit, and nothing is counted.
  explicit AddressLimit(std::uint32_t max_per_address) : max_per_address_(max_per_address) {}
  AddressLimit(const AddressLimit&) = delete;
  AddressLimit& operator=(const AddressLimit&) = delete;

  /// `host` without its port. Empty: that peer has max_connections_per_address already.
  [[nodiscard]] std::optional<Share> claim(const std::string& host);
  /// How often that was the answer.
  std::uint64_t refused() const;

 private:
  void release(const std::string& peer);

  const std::uint32_t max_per_address_;
  mutable std::mutex mutex_;
  std::uint64_t refused_ = 0;
  std::unordered_map<std::string, std::uint32_t> by_peer_;
};

}  // namespace wake::gateway
