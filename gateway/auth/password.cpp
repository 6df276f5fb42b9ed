#include "gateway/auth/password.hpp"

#include <array>
#include <stdexcept>

#include <argon2.h>
#include <openssl/rand.h>

namespace wake::gateway {
namespace {

// OWASP Password Storage Cheat Sheet, argon2id: m = 19 MiB, t = 2, p = 1.
constexpr std::uint32_t kPasses = 2;
constexpr std::uint32_t kMemoryKib = 19 * 1024;
constexpr std::uint32_t kLanes = 1;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
// "$argon2id$v=19$m=19456,t=2,p=1$" + base64(16) + "$" + base64(32) + NUL is 98.
constexpr std::size_t kEncodedBytes = 128;
// A stored string may name other parameters (they may grow some day), but not ones that would take the
// machine.
constexpr std::size_t kMaxEncodedBytes = 512;

std::string hash_with_salt(const Secret& password, const std::array<unsigned char, kSaltBytes>& salt) {
  std::array<char, kEncodedBytes> encoded{};
  const std::string_view characters = password.reveal();
  const int outcome =
      argon2id_hash_encoded(kPasses, kMemoryKib, kLanes, characters.data(), characters.size(), salt.data(),
                            salt.size(), kHashBytes, encoded.data(), encoded.size());
  if (outcome != ARGON2_OK)
    throw std::runtime_error(std::string("argon2id: ") + argon2_error_message(outcome));
  return encoded.data();
}

}  // namespace

std::string hash_password(const Secret& password) {
  std::array<unsigned char, kSaltBytes> salt;
  if (RAND_bytes(salt.data(), static_cast<int>(salt.size())) != 1) {
    throw std::runtime_error("OpenSSL has no randomness to give");
  }
  return hash_with_salt(password, salt);
}

bool is_password(const Secret& password, const std::string& phc) {
  const std::string_view characters = password.reveal();
  if (characters.size() > kMaxPasswordBytes || phc.size() > kMaxEncodedBytes) return false;
  return argon2id_verify(phc.c_str(), characters.data(), characters.size()) == ARGON2_OK;
}

void spend_password_time(const Secret& password) {
  if (password.reveal().size() > kMaxPasswordBytes) return;
  static const std::string kNobody = hash_with_salt(Secret("nobody"), {});
  is_password(password, kNobody);
}

}  // namespace wake::gateway
