#include "push/signing_key.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "push/text.hpp"

namespace wake::push {
namespace {

constexpr std::size_t kMaxKeyFile = 1 << 20;
constexpr int kEs256Half = 32;

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeSignature {
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};

// A key that asks for a pass phrase would otherwise ask the terminal.
int no_pass_phrase(char*, int, int, void*) { return -1; }

bool is_p256(const EVP_PKEY* key) {
  char group[64] = {};
  std::size_t size = 0;
  const bool is_ec = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC;
  return is_ec && EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 &&
         std::string_view(group, size) == "prime256v1";
}

std::string to_raw_signature(const std::string& der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<ECDSA_SIG, FreeSignature> signature(
      d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size())));
  unsigned char raw[2 * kEs256Half];
  const bool is_whole =
      signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw, kEs256Half) == kEs256Half &&
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw + kEs256Half, kEs256Half) == kEs256Half;
  if (!is_whole) throw std::runtime_error("the ES256 signature cannot be taken apart");
  return {reinterpret_cast<const char*>(raw), sizeof raw};
}

}  // namespace

void SigningKey::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

SigningKey::SigningKey(Algorithm algorithm, std::string_view pem) : algorithm_(algorithm) {
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  key_.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr));
  ERR_clear_error();
  if (!key_) throw std::runtime_error("not a private key in PEM form");
  const bool is_right =
      algorithm == Algorithm::Es256 ? is_p256(key_.get()) : EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_RSA;
  if (!is_right) {
    throw std::runtime_error(algorithm == Algorithm::Es256 ? "not a P-256 key, which ES256 needs"
                                                           : "not an RSA key, which RS256 needs");
  }
}

SigningKey::~SigningKey() = default;
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;

std::string SigningKey::sign_jwt(std::string_view header_json, std::string_view claims_json) const {
  std::string jwt;
  append_base64url(jwt, header_json);
  jwt += '.';
  append_base64url(jwt, claims_json);
  const std::string signature = sign(jwt);
  jwt += '.';
  append_base64url(jwt, signature);
  return jwt;
}

std::string SigningKey::sign(std::string_view text) const {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t size = 0;
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1) {
    throw std::runtime_error("OpenSSL cannot sign with this key");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                     text.size()) != 1) {
    throw std::runtime_error("OpenSSL cannot sign with this key");
  }
  signature.resize(size);
  return algorithm_ == Algorithm::Es256 ? to_raw_signature(signature) : signature;
}

std::string read_secret_file(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(path + ": " + (errno ? std::strerror(errno) : "cannot be opened"));
  std::string content{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) throw std::runtime_error(path + ": cannot be read");
  if (content.size() > kMaxKeyFile) throw std::runtime_error(path + ": larger than 1 MiB, so not a key");
  return content;
}

}  // namespace wake::push
