// HMAC-SHA-256 under a random key of this process alone: what is kept of a secret that has to be recognised,
// and of which nobody who reads our memory tomorrow, or another process, can make anything. Thread: any.
#pragma once

#include <array>
#include <cstddef>

#include "gateway/auth/secret.hpp"

namespace wake::gateway {

class KeyedDigest {
 public:
  using Value = std::array<unsigned char, 32>;
  struct Hash {
    std::size_t operator()(const Value& value) const;
  };

  /// Throws std::runtime_error when OpenSSL has no randomness.
  KeyedDigest();
  Value of(const Secret& secret) const;

 private:
  Value key_{};  // never logged
};

}  // namespace wake::gateway
