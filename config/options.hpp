// The options that have no home further right: listeners, who may enter, the cluster, the log. Defaults live
// here; config/keys.cpp only reads into them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace wake::config {

/// What a listener speaks. The s-kinds are TLS and need cert_file and key_file.
enum class Protocol : std::uint8_t { Mqtt, Mqtts, Ws, Wss, Http, Https };

/// Whether TLS asks the client for a certificate; its CN is then the user name (contract §4).
enum class ClientCert : std::uint8_t { None, Request, Require };

enum class TlsVersion : std::uint8_t { Tls12, Tls13 };

/// One [[listener]].
struct ListenerOptions {
  Protocol protocol = Protocol::Mqtt;
  std::string address =
      ":1883";  // "host:port", "[v6]:port", ":port" (all addresses) or "unix:/path": config/address.hpp
  std::string cert_file;                     // PEM, the chain with the server's own first
  std::string key_file;                      // PEM
  std::vector<std::string> more_cert_files;  // PEM, chain and key in one; shown to who asks for their names
  TlsVersion min_version = TlsVersion::Tls12;
  std::string client_ca_file;  // PEM; who may sign clients' certificates
  std::string crl_file;        // PEM; which of those are revoked
  ClientCert client_cert = ClientCert::None;
  std::string psk_file;            // "identity:hexkey" lines; the identity is the user name
  std::vector<std::string> auth;   // "password", "token", "certificate", "anonymous"; empty: as [auth] says
  std::string unix_mode = "0660";  // of a Unix socket's file
  std::vector<std::string> allowed_origins;  // ws, wss: pages that may connect; empty: any. http, https:
                                             // pages that may read answers; empty: none
  bool proxy_protocol = false;  // the PROXY protocol's header (v1 or v2) comes first and names the real peer
};

/// The number that unix_mode writes in octal (config/check.cpp has refused anything else).
inline unsigned unix_mode_of(const ListenerOptions& listener) {
  return static_cast<unsigned>(std::stoul(listener.unix_mode, nullptr, 8));
}

inline bool is_tls(Protocol protocol) {
  return protocol == Protocol::Mqtts || protocol == Protocol::Wss || protocol == Protocol::Https;
}

/// [auth]
struct AuthOptions {
  bool allow_anonymous = false;    // a client without credentials may do all: development only
  bool self_registration = false;  // POST /v1/users without being an admin
  std::chrono::seconds token_ttl{3600};
  std::chrono::seconds refresh_ttl{30 * 24 * 3600};
  std::string jwt_jwks_file;  // JWKS whose keys sign accepted JWTs; empty: no JWTs
  std::string jwt_issuer;     // the `iss` they must have; empty: any
  std::string jwt_audience;   // what `aud` must be or hold; empty: any
  std::string jwt_user_claim = "sub";
  std::string jwt_scope_claim;  // words "admin", "publish"; empty: none are read
  std::chrono::seconds jwt_leeway{60};
  bool jwt_create_users = false;
  std::string webhook_url;     // a back end to ask; empty: none. Never logged: it may hold a password
  std::string webhook_secret;  // what it knows us by; empty: nothing. Never logged
  std::string webhook_ca_file;
  std::chrono::milliseconds webhook_timeout{5000};
  std::chrono::seconds webhook_cache{60};
};

/// [limits], those of REST alone.
struct RequestLimits {
  std::uint32_t requests_per_second = 1000;           // of one principal; 0: no limit, as the next
  std::uint32_t requests_per_second_per_address = 0;  // whoever asks
  std::uint32_t max_idempotency_keys = 10'000;        // of one principal; older ones are forgotten
  std::chrono::seconds idempotency_ttl{24 * 3600};
};

/// A message id has 4 bits for its shard (broker-core/types.hpp); the last number is for what no shard makes.
inline constexpr unsigned kMaxShards = 15;

/// [server]
struct ServerOptions {
  unsigned shards = 0;                    // threads that serve MQTT; 0: one per core, at most kMaxShards
  std::chrono::seconds sys_interval{10};  // between two measurements for $SYS; 0: none
};

/// [cluster]
struct ClusterOptions {
  std::string nats_url;  // empty: one node. Never logged: it may hold a password
};

enum class LogThreshold : std::uint8_t { Debug, Info, Warn, Error };
enum class LogFormat : std::uint8_t { Text, Json };

/// [log]
struct LogOptions {
  LogThreshold level = LogThreshold::Info;
  LogFormat format = LogFormat::Text;
};

}  // namespace wake::config
