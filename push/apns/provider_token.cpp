#include "push/apns/provider_token.hpp"

#include "push/text.hpp"

namespace wake::push::apns {

ProviderTokenMint::ProviderTokenMint(const std::string& pem, std::string key_id, std::string team_id)
    : key_(SigningKey::Algorithm::Es256, pem), key_id_(std::move(key_id)), team_id_(std::move(team_id)) {}

const ProviderToken& ProviderTokenMint::newest(broker::UtcTime now) {
  if (!newest_) mint(now);
  const auto age = now - newest_->issued_at;
  const bool is_paused = now < paused_until_ && age < kChangeAfter;
  const bool is_from_the_future = age < -kMintFloor;  // the clock was set back: APNs would refuse it
  if ((age > kMintAfter && !is_paused) || is_from_the_future) mint(now);
  return *newest_;
}

void ProviderTokenMint::refuse(std::uint64_t generation, broker::UtcTime now) {
  if (newest_ && newest_->generation == generation && now - newest_->issued_at >= kMintFloor) mint(now);
}

void ProviderTokenMint::mint(broker::UtcTime now) {
  std::string header = R"({"alg":"ES256","kid":)";
  append_json_string(header, key_id_);
  header += '}';
  std::string claims = R"({"iss":)";
  append_json_string(claims, team_id_);
  claims += ",\"iat\":";
  append_number(claims, std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
  claims += '}';
  const std::uint64_t generation = newest_ ? newest_->generation + 1 : 1;
  newest_ = ProviderToken{"bearer " + key_.sign_jwt(header, claims), now, generation};
}

const ProviderToken& PinnedToken::use(std::uint64_t connection_id, ProviderTokenMint& mint,
                                      broker::UtcTime now) {
  if (connection_id != connection_id_ || now - token_.issued_at >= kChangeAfter) {
    token_ = mint.newest(now);
    connection_id_ = connection_id;
  }
  return token_;
}

std::uint64_t PinnedToken::generation_of(std::uint64_t connection_id) const {
  return connection_id == connection_id_ ? token_.generation : 0;
}

}  // namespace wake::push::apns
