// The client's end of TLS on a connected socket, for tests: a handshake is driven together with the server's.
#pragma once

#include <memory>
#include <string>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "gateway/file_descriptor.hpp"

namespace wake::test {

class TlsClient {
 public:
  TlsClient(gateway::FileDescriptor fd, const std::string& ca_file)
      : fd_(std::move(fd)),
        context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
        ssl_(nullptr, SSL_free) {
    if (!ca_file.empty()) SSL_CTX_load_verify_file(context_.get(), ca_file.c_str());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  }
  SSL_CTX* context() { return context_.get(); }
  void use_certificate(const std::string& cert_file, const std::string& key_file) {
    SSL_CTX_use_certificate_file(context(), cert_file.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context(), key_file.c_str(), SSL_FILETYPE_PEM);
  }
  /// One step; true once done.
  bool shake_hands() {
    if (!ssl_) {
      ssl_.reset(SSL_new(context()));
      SSL_set_fd(ssl_.get(), fd_.get());
    }
    ERR_clear_error();
    return SSL_connect(ssl_.get()) == 1;
  }
  /// What has come so far.
  std::string read() {
    std::string all;
    char bytes[4096];
    for (;;) {
      ERR_clear_error();
      const int got = SSL_read(ssl_.get(), bytes, sizeof bytes);
      if (got <= 0) return all;
      all.append(bytes, static_cast<std::size_t>(got));
    }
  }
  bool write(const std::string& text) {
    ERR_clear_error();
    return SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size());
  }
  SSL* ssl() { return ssl_.get(); }
  void hang_up() { fd_.reset(); }

 private:
  gateway::FileDescriptor fd_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
};

}  // namespace wake::test
