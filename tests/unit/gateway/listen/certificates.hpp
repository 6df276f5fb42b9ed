// Certificates for tests, made when asked for in a directory that goes with the object. Nothing of it is ever
// committed.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace wake::test {

class Certificates {
 public:
  Certificates() {
    std::string pattern = (std::filesystem::temp_directory_path() / "wake-tls-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = pattern;
    ca_key_ = make_key();
    ca_ = make(*ca_key_, "test CA", *ca_key_, nullptr);
    write_certificate("ca.crt", *ca_);
  }
  ~Certificates() { std::filesystem::remove_all(directory_); }
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  std::string path(const std::string& name) const { return (directory_ / name).string(); }
  std::string ca() const { return path("ca.crt"); }

  /// Writes <name>.crt and <name>.key, signed by the CA; the common name is `common_name`.
  void issue(const std::string& name, const std::string& common_name) {
    const KeyPtr key = make_key();
    write_certificate(name + ".crt", *make(*key, common_name, *ca_key_, ca_.get()));
    const FilePtr file(std::fopen(path(name + ".key").c_str(), "w"), std::fclose);
    PEM_write_PrivateKey(file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }

 private:
  using KeyPtr = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
  using CertificatePtr = std::unique_ptr<X509, void (*)(X509*)>;
  using FilePtr = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

  static KeyPtr make_key() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

  static CertificatePtr make(EVP_PKEY& key, const std::string& common_name, EVP_PKEY& signer, X509* issuer) {
    CertificatePtr certificate(X509_new(), X509_free);
    X509* const raw = certificate.get();
    static long serial = 0;
    X509_set_version(raw, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(raw), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(raw), -60);
    X509_gmtime_adj(X509_getm_notAfter(raw), 3600);
    X509_set_pubkey(raw, &key);
    X509_NAME* const subject = X509_get_subject_name(raw);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
    X509_set_issuer_name(raw, issuer != nullptr ? X509_get_subject_name(issuer) : subject);
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer != nullptr ? issuer : raw, raw, nullptr, nullptr, 0);
    add(*raw, context, NID_basic_constraints, issuer != nullptr ? "CA:FALSE" : "critical,CA:TRUE");
    if (issuer != nullptr) add(*raw, context, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    X509_sign(raw, &signer, EVP_sha256());
    return certificate;
  }
  static void add(X509& certificate, X509V3_CTX& context, int kind, const char* value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
    X509_add_ext(&certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  void write_certificate(const std::string& name, X509& certificate) const {
    const FilePtr file(std::fopen(path(name).c_str(), "w"), std::fclose);
    PEM_write_X509(file.get(), &certificate);
  }

  std::filesystem::path directory_;
  KeyPtr ca_key_{nullptr, EVP_PKEY_free};
  CertificatePtr ca_{nullptr, X509_free};
};

}  // namespace wake::test
