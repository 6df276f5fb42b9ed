#include "gateway/auth/secret.hpp"

#include <array>
#include <span>
#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

namespace wake::gateway {
namespace {

constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
// 30 signs; a random byte below 240 = 8 * 30 picks each equally often.
constexpr std::string_view kUnambiguous = "23456789ABCDEFGHJKMNPQRSTVWXYZ";
static_assert(kUnambiguous.size() == 30);
constexpr std::size_t kPairingCodeLength = 8;
constexpr unsigned kEvenBelow = 240;

void fill_random(std::span<unsigned char> bytes) {
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    throw std::runtime_error("OpenSSL has no randomness to give");
  }
}

std::string base64url(std::span<const unsigned char> bytes) {
  std::string out;
  unsigned bits = 0;
  int bit_count = 0;
  for (const unsigned char byte : bytes) {
    bits = (bits << 8) | byte;
    bit_count += 8;
    while (bit_count >= 6) {
      bit_count -= 6;
      out += kBase64Url[(bits >> bit_count) & 63];
    }
  }
  if (bit_count > 0) out += kBase64Url[(bits << (6 - bit_count)) & 63];
  return out;
}

Secret make_random(const char* prefix) {
  std::array<unsigned char, 32> bytes;
  fill_random(bytes);
  Secret secret(prefix + base64url(bytes));
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return secret;
}

}  // namespace

Secret::Secret(Secret&& other) noexcept : characters_(std::move(other.characters_)) {
  OPENSSL_cleanse(other.characters_.data(), other.characters_.size());  // short strings are copied, not moved
}

Secret& Secret::operator=(Secret other) noexcept {
  characters_.swap(other.characters_);  // ours goes with `other`, overwritten
  return *this;
}

Secret::~Secret() { OPENSSL_cleanse(characters_.data(), characters_.size()); }

Secret make_device_secret() { return make_random(""); }
Secret make_api_key() { return make_random("wk_"); }
Secret make_access_token() { return make_random("wat_"); }
Secret make_refresh_part() { return make_random(""); }

std::string make_pairing_code() {
  std::string code;
  while (code.size() < kPairingCodeLength) {
    std::array<unsigned char, 2 * kPairingCodeLength> bytes;
    fill_random(bytes);
    for (const unsigned char byte : bytes) {
      if (byte < kEvenBelow && code.size() < kPairingCodeLength)
        code += kUnambiguous[byte % kUnambiguous.size()];
    }
  }
  return code;
}

std::string make_request_id() {
  std::array<unsigned char, 8> bytes;
  fill_random(bytes);
  std::string id;
  for (const unsigned char byte : bytes) {
    id += "0123456789abcdef"[byte >> 4];
    id += "0123456789abcdef"[byte & 15];
  }
  return id;
}

std::string sha256(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

bool is_equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace wake::gateway
