#include "gateway/auth/scram.hpp"

#include <charconv>
#include <stdexcept>
#include <vector>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace wake::gateway {
namespace {

constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kMaxMessageBytes = 1024;
constexpr std::string_view kNoBinding = "n,,";
constexpr std::string_view kNoBindingBase64 = "biws";

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes_of(bytes),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

/// Strict: what encodes to another text is refused.
std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > kMaxMessageBytes) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), bytes_of(text),
                                     static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(length) - padding);
  return base64(bytes) == text ? std::optional(bytes) : std::nullopt;
}

std::string hmac(std::string_view key, std::string_view text) {
  std::string digest(kDigestBytes, '\0');
  unsigned length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(),
           reinterpret_cast<unsigned char*>(digest.data()), &length) == nullptr) {
    throw std::runtime_error("OpenSSL: HMAC failed");
  }
  return digest;
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) {
    throw std::runtime_error("OpenSSL has no randomness to give");
  }
  return bytes;
}

std::optional<int> to_iterations(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size() && number > 0;
  return is_number ? std::optional(number) : std::nullopt;
}

/// RFC 5802 §5.1: "=2C" is a comma, "=3D" an equals sign; any other "=" is an error.
std::optional<std::string> decode_name(std::string_view text) {
  std::string name;
  while (!text.empty()) {
    if (text.front() != '=') {
      name += text.front();
      text.remove_prefix(1);
      continue;
    }
    if (!text.starts_with("=2C") && !text.starts_with("=3D")) return std::nullopt;
    name += text[1] == '2' ? ',' : '=';
    text.remove_prefix(3);
  }
  return name.empty() ? std::nullopt : std::optional(name);
}

/// RFC 5802 §7: printable ASCII without the comma.
bool is_nonce(std::string_view text) {
  for (const char c : text) {
    if (c < 0x21 || c > 0x7E || c == ',') return false;
  }
  return !text.empty();
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t comma = text.find(','); comma != std::string_view::npos; comma = text.find(',')) {
    parts.push_back(text.substr(0, comma));
    text.remove_prefix(comma + 1);
  }
  parts.push_back(text);
  return parts;
}

}  // namespace

ScramVerifier make_verifier(const Secret& password, std::string salt, int iterations) {
  std::string salted(kDigestBytes, '\0');
  const std::string_view characters = password.reveal();
  const int outcome = PKCS5_PBKDF2_HMAC(
      characters.data(), static_cast<int>(characters.size()), bytes_of(salt), static_cast<int>(salt.size()),
      iterations, EVP_sha256(), kDigestBytes, reinterpret_cast<unsigned char*>(salted.data()));
  if (outcome != 1) throw std::runtime_error("OpenSSL: PBKDF2 failed");
  return {iterations, std::move(salt), sha256(hmac(salted, "Client Key")), hmac(salted, "Server Key")};
}

std::string to_text(const ScramVerifier& verifier) {
  return std::string(kScramMethod) + '$' + std::to_string(verifier.iterations) + ':' + base64(verifier.salt) +
         '$' + base64(verifier.stored_key) + ':' + base64(verifier.server_key);
}

std::optional<ScramVerifier> parse_verifier(std::string_view text) {
  const std::size_t first = text.find('$');
  const std::size_t second = text.rfind('$');
  if (first == std::string_view::npos || second == first || text.substr(0, first) != kScramMethod)
    return std::nullopt;
  const std::string_view cost = text.substr(first + 1, second - first - 1);
  const std::string_view keys = text.substr(second + 1);
  const std::size_t cost_colon = cost.find(':');
  const std::size_t keys_colon = keys.find(':');
  if (cost_colon == std::string_view::npos || keys_colon == std::string_view::npos) return std::nullopt;
  const auto iterations = to_iterations(cost.substr(0, cost_colon));
  const auto salt = from_base64(cost.substr(cost_colon + 1));
  const auto stored_key = from_base64(keys.substr(0, keys_colon));
  const auto server_key = from_base64(keys.substr(keys_colon + 1));
  if (!iterations || !salt || !stored_key || !server_key) return std::nullopt;
  if (stored_key->size() != kDigestBytes || server_key->size() != kDigestBytes) return std::nullopt;
  return ScramVerifier{*iterations, *salt, *stored_key, *server_key};
}

std::string new_verifier(const Secret& password) {
  return to_text(make_verifier(password, random_bytes(16)));
}

std::optional<ScramFirst> parse_first(std::string_view message) {
  if (message.size() > kMaxMessageBytes || !message.starts_with(kNoBinding)) return std::nullopt;
  message.remove_prefix(kNoBinding.size());
  const auto parts = split(message);
  if (parts.size() < 2 || !parts[0].starts_with("n=") || !parts[1].starts_with("r=")) return std::nullopt;
  const auto name = decode_name(parts[0].substr(2));
  const std::string_view nonce = parts[1].substr(2);
  if (!name || !is_nonce(nonce)) return std::nullopt;
  return ScramFirst{std::string(message), *name, std::string(nonce)};
}

std::string make_challenge(const ScramFirst& first, std::string_view our_nonce,
                           const ScramVerifier& verifier) {
  return "r=" + first.nonce + std::string(our_nonce) + ",s=" + base64(verifier.salt) +
         ",i=" + std::to_string(verifier.iterations);
}

std::optional<std::string> check_proof(const ScramFirst& first, std::string_view challenge,
                                       std::string_view final_message, const ScramVerifier& verifier) {
  if (final_message.size() > kMaxMessageBytes) return std::nullopt;
  const auto parts = split(final_message);
  if (parts.size() < 3 || !parts.back().starts_with("p=")) return std::nullopt;
  const bool is_of_this_exchange = parts[0].starts_with("c=") && parts[0].substr(2) == kNoBindingBase64 &&
                                   parts[1] == split(challenge).front();
  const auto proof = from_base64(parts.back().substr(2));
  if (!is_of_this_exchange || !proof || proof->size() != kDigestBytes) return std::nullopt;
  const std::string_view without_proof =
      final_message.substr(0, final_message.size() - parts.back().size() - 1);
  const std::string messages = first.bare + ',' + std::string(challenge) + ',' + std::string(without_proof);
  std::string client_key = hmac(verifier.stored_key, messages);
  for (std::size_t i = 0; i < kDigestBytes; ++i)
    client_key[i] = static_cast<char>(client_key[i] ^ (*proof)[i]);
  if (!is_equal_constant_time(sha256(client_key), verifier.stored_key)) return std::nullopt;
  return "v=" + base64(hmac(verifier.server_key, messages));
}

ScramVerifier fake_verifier(std::string_view secret, std::string_view name) {
  // Keys that no password has: nobody knows what hashes to them.
  return {kScramIterations, hmac(secret, "salt of " + std::string(name)).substr(0, 16),
          hmac(secret, "stored key of " + std::string(name)),
          hmac(secret, "server key of " + std::string(name))};
}

std::string make_nonce() { return base64(random_bytes(18)); }

}  // namespace wake::gateway
