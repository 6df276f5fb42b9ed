#include "gateway/auth/proven_passwords.hpp"

#include <cstring>
#include <stdexcept>

#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace wake::gateway {

ProvenPasswords::ProvenPasswords(std::size_t most) : most_(most) {
  if (RAND_bytes(key_.data(), static_cast<int>(key_.size())) != 1)
    throw std::runtime_error("OpenSSL has no randomness to give");
}

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

std::size_t ProvenPasswords::DigestHash::operator()(const Digest& digest) const {
  std::size_t hash = 0;  // the digest is random already
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash;
}

ProvenPasswords::Digest ProvenPasswords::digest_of(const Secret& password, const std::string& phc) const {
  // A PHC string ends where the first zero byte would be, so no two pairs make one text.
  Secret text(phc + '\0' + std::string(password.reveal()));
  Digest digest{};
  unsigned size = 0;
  const std::string_view bytes = text.reveal();
  if (HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data(),
           &size) == nullptr)
    throw std::runtime_error("OpenSSL: HMAC failed");
  return digest;
}

}  // namespace wake::gateway
