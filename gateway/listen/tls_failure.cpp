#include "gateway/listen/tls_failure.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace wake::gateway {

namespace {

struct Hint {
  int reason;
  const char* text;
};

constexpr Hint kHints[] = {
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, "the client does not trust our certificate: give it the CA file"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the client refuses our certificate: does it have the CA file?"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
     "the client refuses our certificate: is the name it connects to in it?"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "the client says our certificate has expired: renew cert_file"},
    {SSL_R_WRONG_VERSION_NUMBER, "these are no TLS bytes: a client without TLS belongs on the mqtt listener"},
    {SSL_R_HTTP_REQUEST, "an HTTP request on an MQTT listener"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the client offers nothing newer than TLS 1.1; TLS 1.2 is needed"},
    {SSL_R_VERSION_TOO_LOW, "the client offers nothing newer than TLS 1.1; TLS 1.2 is needed"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the client wants another version than TLS 1.2 or 1.3"},
    {SSL_R_NO_SHARED_CIPHER, "no cipher in common: the client's are outdated, or do not fit our key's kind"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE,
     "client_cert = \"require\": the client must show a certificate"},
    {SSL_R_UNEXPECTED_EOF_WHILE_READING,
     "the client went away during the handshake: does it trust our certificate?"},
};

}  // namespace

const char* tls_failure_hint(int reason) {
  for (const Hint& hint : kHints) {
    if (hint.reason == reason) return hint.text;
  }
  return "";
}

std::string take_tls_failure(const SSL& ssl) {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  if (error == 0)
    return std::string("connection closed; ") + tls_failure_hint(SSL_R_UNEXPECTED_EOF_WHILE_READING);
  const char* const known = ERR_reason_error_string(error);
  std::string text = known != nullptr ? known : "OpenSSL error " + std::to_string(error);
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return text;
  if (ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    return text + "; the client's certificate: " + X509_verify_cert_error_string(SSL_get_verify_result(&ssl));
  }
  const std::string hint = tls_failure_hint(ERR_GET_REASON(error));
  return hint.empty() ? text : text + "; " + hint;
}

}  // namespace wake::gateway
