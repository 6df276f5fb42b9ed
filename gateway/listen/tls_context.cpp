#include "gateway/listen/tls_context.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <vector>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "gateway/listen/psk_file.hpp"

namespace wake::gateway {

namespace {

// Forward secrecy and authenticated encryption; TLS 1.3 has nothing else.
constexpr const char* kTls12Ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:!aNULL:!eNULL:!PSK";
/// Those first, then what small devices with a pre-shared key have.
constexpr const char* kTls12PskCiphers =
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:ECDHE-PSK-CHACHA20-POLY1305:DHE-PSK-AES256-GCM-SHA384:"
    "DHE-PSK-AES128-GCM-SHA256:ECDHE-PSK-AES128-CBC-SHA256:PSK-AES256-GCM-SHA384:PSK-AES128-GCM-SHA256:"
    "PSK-AES128-CCM8:!aNULL:!eNULL";
constexpr unsigned char kSessionContext[] = "wakemq";

/// SHA-256 first, which is what such keys go with.
constexpr const char* kTls13PskCiphers =
    "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";

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

using X509Ptr = std::unique_ptr<X509, void (*)(X509*)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using ChainPtr = std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)>;

/// One of more_cert_files.
struct Identity {
  X509Ptr certificate;
  KeyPtr key;
  ChainPtr chain;
};

/// What the callbacks of a context need; goes with it, which may be later than our pointer to it.
struct Extras {
  std::vector<Identity> identities;
  PskTable keys;
};

/// Where a context keeps them.
int extras_slot() {
  static const int slot = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* extras, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<Extras*>(extras); });
  return slot;
}

const Extras& extras_of(const SSL* ssl) {
  return *static_cast<const Extras*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), extras_slot()));
}

Identity read_identity(const std::string& file) {
  // A context reads PEM for us; the pieces then belong to the identity.
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> reader(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (SSL_CTX_use_certificate_chain_file(reader.get(), file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(reader.get(), file.c_str(), SSL_FILETYPE_PEM) != 1)
    fail("more_cert_files", file, "a certificate chain and its private key as PEM in one file");
  X509* const certificate = SSL_CTX_get0_certificate(reader.get());
  EVP_PKEY* const key = SSL_CTX_get0_privatekey(reader.get());
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(reader.get(), &chain);
  X509_up_ref(certificate);
  EVP_PKEY_up_ref(key);
  return {X509Ptr(certificate, X509_free), KeyPtr(key, EVP_PKEY_free),
          ChainPtr(chain != nullptr ? X509_chain_up_ref(chain) : nullptr,
                   [](STACK_OF(X509) * certificates) { sk_X509_pop_free(certificates, X509_free); })};
}

/// RFC 6066 §3: the first certificate with the name that the client asks for; none: cert_file's stays.
int choose_identity(SSL* ssl, void*) {
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return 1;
  for (const Identity& one : extras_of(ssl).identities) {
    if (X509_check_host(one.certificate.get(), name, 0, 0, nullptr) != 1) continue;
    return SSL_use_cert_and_key(ssl, one.certificate.get(), one.key.get(), one.chain.get(), 1);
  }
  return 1;
}

/// TLS 1.2. The identity is in the session once the key is proven.
unsigned find_key(SSL* ssl, const char* identity, unsigned char* key, unsigned capacity) {
  const PskTable& keys = extras_of(ssl).keys;
  const auto found = keys.find(identity);
  if (SSL_version(ssl) != TLS1_2_VERSION || found == keys.end() || found->second.size() > capacity) return 0;
  std::ranges::copy(found->second, key);
  return static_cast<unsigned>(found->second.size());
}

/// TLS 1.3. A session that holds the key and, as its own data, the identity: which of those that the client
/// offers is used, and whether its key is proven, is known only afterwards (RFC 8446 §4.2.11), and then the
/// session in use says whose it is. Its tickets say so too.
int find_session(SSL* ssl, const unsigned char* identity, std::size_t identity_size, SSL_SESSION** session) {
  const PskTable& keys = extras_of(ssl).keys;
  const auto found = keys.find(std::string_view(reinterpret_cast<const char*>(identity), identity_size));
  *session = nullptr;
  if (found == keys.end()) return 1;
  constexpr unsigned char kAes128GcmSha256[] = {0x13, 0x01};  // SHA-256: the hash of a key that names none
  SSL_SESSION* const made = SSL_SESSION_new();
  const bool is_made = made != nullptr &&
                       SSL_SESSION_set1_master_key(made, found->second.data(), found->second.size()) == 1 &&
                       SSL_SESSION_set_cipher(made, SSL_CIPHER_find(ssl, kAes128GcmSha256)) == 1 &&
                       SSL_SESSION_set_protocol_version(made, TLS1_3_VERSION) == 1 &&
                       SSL_SESSION_set1_ticket_appdata(made, found->first.data(), found->first.size()) == 1;
  if (is_made) {
    *session = made;
  } else {
    SSL_SESSION_free(made);
  }
  return is_made ? 1 : 0;
}

void use_certificates(SSL_CTX* context, const config::ListenerOptions& options, Extras& extras) {
  if (options.cert_file.empty()) return;  // pre-shared keys alone
  if (SSL_CTX_use_certificate_chain_file(context, options.cert_file.c_str()) != 1)
    fail("cert_file", options.cert_file, "a certificate chain as PEM, the server's own first");
  if (SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    fail("key_file", options.key_file, "the private key of cert_file as PEM, without a passphrase");
  for (const std::string& file : options.more_cert_files) extras.identities.push_back(read_identity(file));
  if (!extras.identities.empty()) SSL_CTX_set_cert_cb(context, choose_identity, nullptr);
}

void use_keys(SSL_CTX* context, const config::ListenerOptions& options, Extras& extras) {
  SSL_CTX_set_cipher_list(context, options.psk_file.empty() ? kTls12Ciphers : kTls12PskCiphers);
  if (options.psk_file.empty()) return;
  extras.keys = read_psk_file(options.psk_file);
  SSL_CTX_set_ciphersuites(context, kTls13PskCiphers);
  SSL_CTX_set_psk_server_callback(context, find_key);
  SSL_CTX_set_psk_find_session_callback(context, find_session);
}

/// Every certificate of the chain is looked up in its issuer's list. A CA whose issuer has published none in
/// crl_file passes, since many an operator has the list of the CA that signs clients and no other; a client
/// whose own issuer has none does not.
int judge_chain(int is_valid, X509_STORE_CTX* chain) {
  const bool lacks_list = X509_STORE_CTX_get_error(chain) == X509_V_ERR_UNABLE_TO_GET_CRL;
  if (is_valid == 1 || !lacks_list || X509_STORE_CTX_get_error_depth(chain) == 0) return is_valid;
  X509_STORE_CTX_set_error(chain, X509_V_OK);
  return 1;
}

void use_revocations(SSL_CTX* context, const config::ListenerOptions& options) {
  if (options.crl_file.empty()) return;
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  X509_LOOKUP* const lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
  if (lookup == nullptr || X509_load_crl_file(lookup, options.crl_file.c_str(), X509_FILETYPE_PEM) <= 0)
    fail("crl_file", options.crl_file, "revocation lists as PEM");
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}

void use_client_ca(SSL_CTX* context, const config::ListenerOptions& options) {
  if (options.client_cert == config::ClientCert::None) return;
  const std::string& file = options.client_ca_file;
  if (SSL_CTX_load_verify_file(context, file.c_str()) != 1)
    fail("client_ca_file", file, "CA certificates as PEM");
  use_revocations(context, options);
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(file.c_str()));
  int mode = SSL_VERIFY_PEER;
  if (options.client_cert == config::ClientCert::Require) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(context, mode, options.crl_file.empty() ? nullptr : judge_chain);
  X509_VERIFY_PARAM_set_purpose(SSL_CTX_get0_param(context), X509_PURPOSE_SSL_CLIENT);
}

}  // namespace

TlsContextPtr make_tls_context(const config::ListenerOptions& options) {
  ERR_clear_error();
  TlsContextPtr context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) throw std::runtime_error("no TLS context: " + reason());
  SSL_CTX* const raw = context.get();
  auto extras = std::make_unique<Extras>();
  SSL_CTX_set_min_proto_version(
      raw, options.min_version == config::TlsVersion::Tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(
      raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_dh_auto(raw, 1);
  // Resumption by tickets: the client keeps the state, we keep none.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(raw, kSessionContext, sizeof kSessionContext - 1);
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  use_certificates(raw, options, *extras);
  use_keys(raw, options, *extras);
  use_client_ca(raw, options);
  SSL_CTX_set_ex_data(raw, extras_slot(), extras.release());
  return context;
}

void SslDeleter::operator()(SSL* ssl) const { SSL_free(ssl); }

SslPtr make_ssl(const TlsContextPtr& context, int fd) {
  SslPtr ssl(SSL_new(context.get()));
  if (!ssl || SSL_set_fd(ssl.get(), fd) != 1) return nullptr;
  SSL_set_accept_state(ssl.get());
  return ssl;
}

std::string verified_name(const SSL& ssl) {
  if (const char* const identity = SSL_get_psk_identity(&ssl)) return identity;  // TLS 1.2
  void* identity = nullptr;
  std::size_t size = 0;
  SSL_SESSION* const session = SSL_get_session(&ssl);
  if (session != nullptr && SSL_SESSION_get0_ticket_appdata(session, &identity, &size) == 1 && size > 0)
    return {static_cast<const char*>(identity), size};
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
