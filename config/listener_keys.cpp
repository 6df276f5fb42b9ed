// As in keys.cpp: prose for an operator, defaults from the struct.
#include "config/listener_keys.hpp"

namespace wake::config {
namespace {

const Choice<Protocol> kProtocols{{{"mqtt", Protocol::Mqtt},
                                   {"mqtts", Protocol::Mqtts},
                                   {"ws", Protocol::Ws},
                                   {"wss", Protocol::Wss},
                                   {"http", Protocol::Http},
                                   {"https", Protocol::Https}}};
const Choice<ClientCert> kClientCerts{
    {{"none", ClientCert::None}, {"request", ClientCert::Request}, {"require", ClientCert::Require}}};
const Choice<TlsVersion> kTlsVersions{{{"1.2", TlsVersion::Tls12}, {"1.3", TlsVersion::Tls13}}};

}  // namespace

std::vector<Key> listener_keys() {
  using L = ListenerOptions;
  return {
      {.section = "listener",
       .name = "protocol",
       .field = field(&L::protocol, kProtocols),
       .prose = "MQTT or REST, plain, over WebSocket (ws, wss; path /mqtt) or over TLS (mqtts, wss, https).",
       .example = "\"mqtts\""},
      {.section = "listener",
       .name = "address",
       .field = field(&L::address, Text{"\"host:port\", \"[v6]:port\", \":port\" or \"unix:/path\""}),
       .prose =
           "Customary ports: 1883 mqtt, 8883 mqtts, 9001 ws, 9002 wss, 8080 http. No host: all addresses.",
       .example = "\":8883\""},
      {.section = "listener",
       .name = "cert_file",
       .field = field(&L::cert_file, kFile),
       .prose = "Certificate chain in PEM, the server's own first. For mqtts, wss and https.",
       .example = "\"/etc/wakemq/tls/server.crt\"",
       .needs_restart = false},
      {.section = "listener",
       .name = "key_file",
       .field = field(&L::key_file, kFile),
       .prose = "Its private key in PEM.",
       .example = "\"/etc/wakemq/tls/server.key\"",
       .needs_restart = false},
      {.section = "listener",
       .name = "more_cert_files",
       .field = field(&L::more_cert_files, List{"a list of files"}),
       .prose =
           "More certificates, each a PEM with chain and key; a client that asks for a name in one (SNI) is "
           "shown it, others cert_file's.",
       .example = "[\"/etc/wakemq/tls/other.pem\"]",
       .needs_restart = false},
      {.section = "listener",
       .name = "min_version",
       .field = field(&L::min_version, kTlsVersions),
       .prose = "The oldest TLS that is spoken.",
       .needs_restart = false},
      {.section = "listener",
       .name = "client_ca_file",
       .field = field(&L::client_ca_file, kFile),
       .prose = "Certificates in PEM that may sign clients' certificates.",
       .example = "\"/etc/wakemq/tls/clients-ca.crt\"",
       .needs_restart = false},
      {.section = "listener",
       .name = "crl_file",
       .field = field(&L::crl_file, kFile),
       .prose = "Revocation lists in PEM: of whoever signs clients' certificates, and of the authorities "
                "above as far as "
                "they publish any. One that has expired lets nobody in.",
       .example = "\"/etc/wakemq/tls/clients.crl\"",
       .needs_restart = false},
      {.section = "listener",
       .name = "client_cert",
       .field = field(&L::client_cert, kClientCerts),
       .prose = "Ask for a client certificate, or insist on one; its CN is then the user name, and what the "
                "CONNECT says of user name and password is not looked at (unless `auth` leaves certificates "
                "out).",
       .example = "\"request\"",
       .needs_restart = false},
      {.section = "listener",
       .name = "psk_file",
       .field = field(&L::psk_file, kFile),
       .prose = "Keys of clients without certificates, a line each: identity:hexkey (16 bytes or more). The "
                "identity is the user name.",
       .example = "\"/etc/wakemq/tls/clients.psk\"",
       .needs_restart = false},
      {.section = "listener",
       .name = "auth",
       .field = field(&L::auth, List{"a list of \"password\", \"token\", \"certificate\" and \"anonymous\""}),
       .prose = "MQTT only: which log-ins count here (certificate: PSK too). Empty: all but anonymous, which "
                "[auth] "
                "decides.",
       .example = "[\"certificate\"]",
       .needs_restart = false},
      {.section = "listener",
       .name = "unix_mode",
       .field = field(&L::unix_mode, Text{"the mode of a file in octal, as \"0660\""}),
       .prose = "Who may connect to a Unix socket: the mode of its file."},
      {.section = "listener",
       .name = "allowed_origins",
       .field = field(&L::allowed_origins, List{"a list of origins, as [\"https://app.example.com\"]"}),
       .prose =
           "For ws and wss: whose web pages may connect; empty: all. For http and https: whose may read "
           "answers (CORS); empty: none but our own. Clients that are no browser send no origin and may.",
       .example = "[\"https://app.example.com\"]",
       .needs_restart = false},
      {.section = "listener",
       .name = "proxy_protocol",
       .field = field(&L::proxy_protocol, kFlag),
       .prose =
           "A load balancer in front sends the PROXY protocol's header. Only when nobody else can connect."},
  };
}

}  // namespace wake::config
