#include "gateway/auth/proven_passwords.hpp"

namespace wake::gateway {

ProvenPasswords::ProvenPasswords(std::size_t most) : most_(most) {}

bool ProvenPasswords::has(const Secret& password, const std::string& phc) {
  const Digest digest = digest_of(password, phc);
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(digest);
  if (found == known_.end()) return false;
  by_use_.splice(by_use_.begin(), by_use_, found->second);
  return true;
}

void ProvenPasswords::add(const Secret& password, const std::string& phc) {
  const Digest digest = digest_of(password, phc);
  const std::lock_guard lock(mutex_);
  if (known_.contains(digest)) return;
  by_use_.push_front(digest);
  known_.emplace(digest, by_use_.begin());
  if (known_.size() <= most_) return;
  known_.erase(by_use_.back());
  by_use_.pop_back();
}

std::size_t ProvenPasswords::size() const {
  const std::lock_guard lock(mutex_);
  return known_.size();
}

ProvenPasswords::Digest ProvenPasswords::digest_of(const Secret& password, const std::string& phc) const {
  // A PHC string ends where the first zero byte would be, so no two pairs make one text.
  return digest_.of(Secret(phc + '\0' + std::string(password.reveal())));
}

}  // namespace wake::gateway
