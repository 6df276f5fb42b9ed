// Provider tokens of one (team, key, environment): shared mint, pinned use. Apple, "Establishing a
// token-based connection to APNs": a token is good for an hour, is not renewed more often than every 20
// minutes, and a connection that sees it change sooner answers TooManyProviderTokenUpdates. Time is passed
// in. Loop thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "broker-core/types.hpp"
#include "push/signing_key.hpp"

namespace wake::push::apns {

/// The mint makes a new token only when its newest is older than this.
inline constexpr std::chrono::minutes kMintAfter{30};
/// A connection changes to the newest when its own is older; by then it has used it for at least 20 minutes.
inline constexpr std::chrono::minutes kChangeAfter{50};
/// Apple's floor between two tokens of one key.
inline constexpr std::chrono::minutes kMintFloor{20};

struct ProviderToken {
  std::string bearer;  // "bearer <JWT>"; never logged
  broker::UtcTime issued_at{};
  std::uint64_t generation = 0;
};

class ProviderTokenMint {
 public:
  /// `pem`: the .p8 file. Throws std::runtime_error when it is no P-256 key.
  ProviderTokenMint(const std::string& pem, std::string key_id, std::string team_id);

  /// The newest token, made when there is none or it is older than kMintAfter and minting is not paused.
  const ProviderToken& newest(broker::UtcTime now);
  /// APNs called this generation stale: the next newest() makes another, unless it exists already or would
  /// come within kMintFloor (then our clock is wrong and another token would be refused too).
  void refuse(std::uint64_t generation, broker::UtcTime now);
  /// TooManyProviderTokenUpdates: no new token for kMintFloor, as long as the newest is good.
  void pause(broker::UtcTime now) { paused_until_ = now + kMintFloor; }

 private:
  void mint(broker::UtcTime now);

  SigningKey key_;
  std::string key_id_;
  std::string team_id_;
  std::optional<ProviderToken> newest_;
  broker::UtcTime paused_until_{};
};

/// What one connection sends: pinned at its first push.
class PinnedToken {
 public:
  const ProviderToken& use(std::uint64_t connection_id, ProviderTokenMint& mint, broker::UtcTime now);
  /// The generation a connection uses; 0 when it is not the pinned one.
  std::uint64_t generation_of(std::uint64_t connection_id) const;

 private:
  std::uint64_t connection_id_ = 0;
  ProviderToken token_;
};

}  // namespace wake::push::apns
