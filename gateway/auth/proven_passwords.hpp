// Passwords that argon2id has found right before, so that a fleet that reconnects all at once is not made to
// wait for tens of milliseconds of hashing each. Kept is a keyed digest (keyed_digest.hpp) of the stored hash
// and the password together: a changed password is unknown here at once, and wrong ones are never kept. The
// account itself is looked up at every log-in all the same. Thread: any.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

#include "gateway/auth/keyed_digest.hpp"
#include "gateway/auth/secret.hpp"

namespace wake::gateway {

class ProvenPasswords {
 public:
  /// Beyond it the longest unused is forgotten; each takes some hundred bytes.
  static constexpr std::size_t kMost = 100'000;

  /// Throws std::runtime_error when OpenSSL has no randomness.
  explicit ProvenPasswords(std::size_t most = kMost);

  bool has(const Secret& password, const std::string& phc);
  void add(const Secret& password, const std::string& phc);
  std::size_t size() const;

 private:
  using Digest = KeyedDigest::Value;
  Digest digest_of(const Secret& password, const std::string& phc) const;

  const std::size_t most_;
  const KeyedDigest digest_;
  mutable std::mutex mutex_;
  std::list<Digest> by_use_;  // the last used first
  std::unordered_map<Digest, std::list<Digest>::iterator, KeyedDigest::Hash> known_;
};

}  // namespace wake::gateway
