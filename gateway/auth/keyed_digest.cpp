#include "gateway/auth/keyed_digest.hpp"

#include <cstring>
#include <stdexcept>

#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace wake::gateway {

KeyedDigest::KeyedDigest() {
  if (RAND_bytes(key_.data(), static_cast<int>(key_.size())) != 1)
    throw std::runtime_error("OpenSSL has no randomness to give");
}

KeyedDigest::Value KeyedDigest::of(const Secret& secret) const {
  Value value{};
  unsigned size = 0;
  const std::string_view bytes = secret.reveal();
  if (HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), value.data(),
           &size) == nullptr)
    throw std::runtime_error("OpenSSL: HMAC failed");
  return value;
}

std::size_t KeyedDigest::Hash::operator()(const Value& value) const {
  std::size_t hash = 0;  // the digest is random already
  std::memcpy(&hash, value.data(), sizeof hash);
  return hash;
}

}  // namespace wake::gateway
