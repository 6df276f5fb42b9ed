#include "gateway/listen/tls_context.hpp"

#include <stdexcept>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace wake::gateway {

namespace {

// Forward secrecy and authenticated encryption; TLS 1.3 has nothing else.
constexpr const char* kTls12Ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:!aNULL:!eNULL:!PSK";
constexpr unsigned char kSessionContext[] = "wakemq";

std::string reason() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  if (ERR_GET_LIB(error) == ERR_LIB_SYS) return "cannot be read";
  const char* const text = ERR_reason_error_string(error);
  return text != nullptr ? text : "unknown reason";
}

[[noreturn]] void fail(const std::string& key, const std::string& file, const char* expected) {
  throw std::runtime_error(key + " " + file + ": " + reason() + "; expected " + expected);
}

/// v3.1.1 and v5 §4.2 name no ALPN id; "mqtt" is IANA's. A client that offers others is served all the same.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                    unsigned in_length, void*) {
  constexpr unsigned char kOurs[] = {4, 'm', 'q', 't', 't'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_length, kOurs, sizeof kOurs, in, in_length) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void use_client_ca(SSL_CTX* context, const config::ListenerOptions& options) {
  if (options.client_cert == config::ClientCert::None) return;
  const std::string& file = options.client_ca_file;
  if (SSL_CTX_load_verify_file(context, file.c_str()) != 1)
    fail("client_ca_file", file, "CA certificates as PEM");
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(file.c_str()));
  int mode = SSL_VERIFY_PEER;
  if (options.client_cert == config::ClientCert::Require) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(context, mode, nullptr);
  X509_VERIFY_PARAM_set_purpose(SSL_CTX_get0_param(context), X509_PURPOSE_SSL_CLIENT);
}

}  // namespace

TlsContextPtr make_tls_context(const config::ListenerOptions& options) {
  ERR_clear_error();
  TlsContextPtr context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) throw std::runtime_error("no TLS context: " + reason());
  SSL_CTX* const raw = context.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(
      raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_cipher_list(raw, kTls12Ciphers);
  SSL_CTX_set_dh_auto(raw, 1);
  // Resumption by tickets: the client keeps the state, we keep none.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(raw, kSessionContext, sizeof kSessionContext - 1);
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(raw, options.cert_file.c_str()) != 1) {
    fail("cert_file", options.cert_file, "a certificate chain as PEM, the server's own first");
  }
  if (SSL_CTX_use_PrivateKey_file(raw, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    fail("key_file", options.key_file, "the private key of cert_file as PEM, without a passphrase");
  }
  use_client_ca(raw, options);
  return context;
}

void SslDeleter::operator()(SSL* ssl) const { SSL_free(ssl); }

SslPtr make_ssl(const TlsContextPtr& context, int fd) {
  SslPtr ssl(SSL_new(context.get()));
  if (!ssl || SSL_set_fd(ssl.get(), fd) != 1) return nullptr;
  SSL_set_accept_state(ssl.get());
  return ssl;
}

std::string verified_common_name(const SSL& ssl) {
  const X509* const certificate = SSL_get0_peer_certificate(&ssl);
  if (certificate == nullptr || SSL_get_verify_result(&ssl) != X509_V_OK) return {};
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* utf8 = nullptr;
  const int length = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (length < 0) return {};
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner(
      utf8, [](unsigned char* p) { OPENSSL_free(p); });
  return {reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(length)};
}

}  // namespace wake::gateway
