#include "tests/sim/certificate.hpp"

#include <stdexcept>

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "tests/sim/keys.hpp"

namespace wake::sim {
namespace {

struct FreeX509 {
  void operator()(X509* x) const { X509_free(x); }
};
using Certificate = std::unique_ptr<X509, FreeX509>;

void check(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("cannot make a certificate: ") + what);
}

bool is_address(const std::string& name) {
  unsigned char raw[16];
  return inet_pton(AF_INET, name.c_str(), raw) == 1 || inet_pton(AF_INET6, name.c_str(), raw) == 1;
}

void add_extension(X509* cert, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  check(extension != nullptr, value.c_str());
  X509_add_ext(cert, extension, -1);
  X509_EXTENSION_free(extension);
}

/// Version 3, random serial, valid from an hour ago (clocks of containers differ) for `days`.
Certificate blank(EVP_PKEY* key, const char* common_name, int days) {
  Certificate cert(X509_new());
  std::uint64_t serial = 0;
  check(cert && RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "serial");
  X509_set_version(cert.get(), 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert.get()), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 86400L * days);
  X509_set_pubkey(cert.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name), -1, -1, 0);
  return cert;
}

std::string pem_of(X509* cert) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, cert);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string pem(text, static_cast<std::size_t>(size));
  BIO_free(bio);
  return pem;
}

Certificate read(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  Certificate cert(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
  BIO_free(bio);
  check(cert != nullptr, "ca.pem does not hold one");
  return cert;
}

}  // namespace

std::string make_ca_pem(EVP_PKEY* ca_key) {
  const Certificate ca = blank(ca_key, "Push simulators: test root, trust nowhere else", 3650);
  X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get()));
  add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
  check(X509_sign(ca.get(), ca_key, EVP_sha256()) > 0, "signature");
  return pem_of(ca.get());
}

ServerCertificate make_server_certificate(const std::string& ca_pem, EVP_PKEY* ca_key,
                                          const std::vector<std::string>& names) {
  const Certificate ca = read(ca_pem);
  const Key key(EVP_EC_gen("P-256"));
  const Certificate leaf = blank(key.get(), names.front().c_str(), 30);
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(ca.get()));
  std::string subject_names;
  for (const auto& name : names) {
    subject_names +=
        (subject_names.empty() ? "" : ",") + std::string(is_address(name) ? "IP:" : "DNS:") + name;
  }
  add_extension(leaf.get(), ca.get(), NID_subject_alt_name, subject_names);
  add_extension(leaf.get(), ca.get(), NID_ext_key_usage, "serverAuth");
  add_extension(leaf.get(), ca.get(), NID_authority_key_identifier, "keyid");
  check(X509_sign(leaf.get(), ca_key, EVP_sha256()) > 0, "signature");
  return {pem_of(leaf.get()), pem_of(key.get())};
}

}  // namespace wake::sim
