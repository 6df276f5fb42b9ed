#include "config/check.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>
#include <tuple>

#include "config/address.hpp"
#include "db/database_options.hpp"

namespace wake::config {
namespace {

using broker::Platform;

constexpr std::size_t kAppleIdLength = 10;  // Apple's key and team identifiers

/// Collects the findings of one element.
struct Findings {
  std::vector<Finding>& all;
  std::string section;
  std::size_t index;

  void add(std::string key, std::string message) {
    all.push_back({section, index, std::move(key), "expected " + std::move(message)});
  }
  void require(bool is_good, std::string_view key, std::string_view message) {
    if (!is_good) add(std::string(key), std::string(message));
  }
  void require_readable(const std::string& file, std::string_view key) {
    std::error_code error;
    const bool is_file = std::filesystem::is_regular_file(file, error) && std::ifstream(file).good();
    if (!file.empty() && !is_file) add(std::string(key), "a readable file, not \"" + file + "\"");
  }
};

/// scheme://something, without blanks.
bool is_url(std::string_view text, std::initializer_list<std::string_view> schemes) {
  return std::ranges::any_of(schemes, [&](std::string_view scheme) {
    return text.starts_with(scheme) && text.size() > scheme.size() &&
           text.find_first_of(" \t\r\n") == text.npos;
  });
}

/// "https://host" or "https://host:port", nothing after it.
bool is_origin(std::string_view text, std::string_view scheme) {
  if (!is_url(text, {scheme})) return false;
  std::string_view authority = text.substr(scheme.size());
  if (const auto at = authority.rfind('@'); at != authority.npos) authority.remove_prefix(at + 1);
  const auto address = authority.ends_with(']') || authority.find(':') == authority.npos
                           ? parse_address(std::string(authority) + ":443")
                           : parse_address(authority);
  return address && address->unix_path.empty() && !address->host.empty();
}

bool is_apple_id(const std::string& text) {
  return text.size() == kAppleIdLength &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c); });
}

void check_tls(const ListenerOptions& listener, Findings& findings) {
  const bool has_tls_keys = !listener.cert_file.empty() || !listener.key_file.empty() ||
                            !listener.client_ca_file.empty() || listener.client_cert != ClientCert::None ||
                            !listener.more_cert_files.empty() || !listener.crl_file.empty() ||
                            !listener.psk_file.empty();
  if (!is_tls(listener.protocol)) {
    return findings.require(!has_tls_keys, "protocol", "mqtts, wss or https, since TLS keys are set here");
  }
  const bool is_psk_alone = listener.cert_file.empty() && !listener.psk_file.empty();
  findings.require(!listener.cert_file.empty() || is_psk_alone, "cert_file",
                   "a certificate (PEM), or psk_file: this protocol is TLS");
  findings.require(!listener.key_file.empty() || is_psk_alone, "key_file",
                   "the certificate's private key (PEM): this protocol is TLS");
  findings.require(listener.crl_file.empty() || !listener.client_ca_file.empty(), "crl_file",
                   "together with client_ca_file: whose certificates are revoked");
  findings.require_readable(listener.crl_file, "crl_file");
  findings.require_readable(listener.psk_file, "psk_file");
  for (const std::string& file : listener.more_cert_files) findings.require_readable(file, "more_cert_files");
  findings.require(
      (listener.client_cert == ClientCert::None) == listener.client_ca_file.empty(), "client_ca_file",
      "together with client_cert = \"request\" or \"require\": who may sign clients' certificates");
  findings.require_readable(listener.cert_file, "cert_file");
  findings.require_readable(listener.key_file, "key_file");
  findings.require_readable(listener.client_ca_file, "client_ca_file");
}

bool is_mode(const std::string& text) {
  return text.size() >= 3 && text.size() <= 4 && text.find_first_not_of("01234567") == std::string::npos &&
         (text.size() == 3 || text.front() == '0');
}

void check_rules(const ListenerOptions& listener, Findings& findings) {
  constexpr std::array kLogins{"password", "token", "certificate", "anonymous"};
  for (const std::string& login : listener.auth) {
    findings.require(std::ranges::find(kLogins, login) != kLogins.end(), "auth",
                     "\"password\", \"token\", \"certificate\" or \"anonymous\", not \"" + login + "\"");
  }
  const bool is_http = listener.protocol == Protocol::Http || listener.protocol == Protocol::Https;
  findings.require(listener.auth.empty() || !is_http, "auth", "only for listeners of MQTT");
  const bool is_mqtt = listener.protocol == Protocol::Mqtt || listener.protocol == Protocol::Mqtts;
  findings.require(listener.allowed_origins.empty() || !is_mqtt, "allowed_origins",
                   "only with ws, wss, http or https");
  findings.require(is_mode(listener.unix_mode), "unix_mode", "the mode of a file in octal, as \"0660\"");
}

void check_listeners(const Config& config, std::vector<Finding>& all) {
  std::set<std::string> addresses;
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const ListenerOptions& listener = config.listeners[i];
    Findings findings{all, "listener", i};
    const auto address = parse_address(listener.address);
    findings.require(address.has_value(), "address",
                     "\"host:port\", \"[v6]:port\", \":port\" (port 0 to 65535) or \"unix:/path\"");
    const bool is_shared = address && (address->port != 0 || !address->unix_path.empty());
    if (is_shared) {
      findings.require(addresses.insert(listener.address).second, "address",
                       "an address of its own: another [[listener]] has this one");
    }
    check_tls(listener, findings);
    check_rules(listener, findings);
  }
}

void check_apns(const push::AppOptions& app, Findings& findings) {
  findings.require(!app.topic.empty(), "topic", "the app's bundle id");
  findings.require(!app.key_file.empty(), "key_file",
                   "the AuthKey_*.p8, or with cert_file the certificate's key");
  findings.require(app.service_account_file.empty(), "service_account_file", "only with platform = \"fcm\"");
  if (app.cert_file.empty()) {
    findings.require(is_apple_id(app.key_id), "key_id", "the 10 letters and digits of the key's id");
    findings.require(is_apple_id(app.team_id), "team_id", "the 10 letters and digits of the team's id");
  } else {
    findings.require(app.key_id.empty(), "key_id",
                     "no key_id with cert_file: either a token key or a certificate");
    findings.require(app.team_id.empty(), "team_id",
                     "no team_id with cert_file: either a token key or a certificate");
  }
}

void check_fcm(const push::AppOptions& app, Findings& findings) {
  findings.require(!app.service_account_file.empty(), "service_account_file", "the service account's JSON");
  const auto only_apns = [&](const std::string& value, std::string_view key) {
    findings.require(value.empty(), key, "only with platform = \"apns\"");
  };
  only_apns(app.key_file, "key_file");
  only_apns(app.key_id, "key_id");
  only_apns(app.team_id, "team_id");
  only_apns(app.topic, "topic");
  only_apns(app.cert_file, "cert_file");
  findings.require(app.environment == broker::Environment::Production, "environment",
                   "only with platform = \"apns\"");
}

void check_apps(const Config& config, std::vector<Finding>& all) {
  std::set<std::tuple<std::string, Platform, broker::Environment>> channels;
  for (std::size_t i = 0; i < config.push_apps.size(); ++i) {
    const push::AppOptions& app = config.push_apps[i];
    Findings findings{all, "push.app", i};
    findings.require(!app.id.empty() && app.id.size() <= 255, "id",
                     "the app id that phones register with, 1 to 255 bytes");
    findings.require(channels.emplace(app.id, app.platform, app.environment).second, "id",
                     "one [[push.app]] for an id, platform and environment");
    if (app.platform == Platform::Apns) check_apns(app, findings);
    if (app.platform == Platform::Fcm) check_fcm(app, findings);
    findings.require(app.endpoint.empty() || is_origin(app.endpoint, "https://"), "endpoint",
                     "\"https://host:port\"");
    findings.require(app.proxy.empty() || is_origin(app.proxy, "http://"), "proxy", "\"http://host:port\"");
    findings.require_readable(app.key_file, "key_file");
    findings.require_readable(app.cert_file, "cert_file");
    findings.require_readable(app.service_account_file, "service_account_file");
    findings.require_readable(app.ca_file, "ca_file");
  }
}

bool is_bridge_name(const std::string& name) {
  constexpr std::string_view kAlso = "._-";
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [&](unsigned char c) {
    return std::isalnum(c) || kAlso.find(static_cast<char>(c)) != kAlso.npos;
  });
}

void check_bridge_tls(const BridgeOptions& bridge, Findings& findings) {
  const bool has_tls_keys = !bridge.ca_file.empty() || !bridge.cert_file.empty() || !bridge.key_file.empty();
  if (!is_tls(bridge.protocol)) {
    return findings.require(!has_tls_keys, "protocol", "mqtts, since TLS keys are set here");
  }
  findings.require(bridge.cert_file.empty() == bridge.key_file.empty(), "key_file",
                   "cert_file and key_file together");
  findings.require_readable(bridge.ca_file, "ca_file");
  findings.require_readable(bridge.cert_file, "cert_file");
  findings.require_readable(bridge.key_file, "key_file");
}

void check_bridge_address(const BridgeOptions& bridge, Findings& findings) {
  const auto address = parse_address(bridge.address);
  const bool is_unix = address && !address->unix_path.empty();
  findings.require(address && (is_unix || (!address->host.empty() && address->port != 0)), "address",
                   "\"host:port\", \"[v6]:port\" or \"unix:/path\" of the other broker");
  findings.require(!is_unix || !is_tls(bridge.protocol), "address",
                   "\"host:port\" with mqtts: the certificate is checked for the host");
}

void check_bridges(const Config& config, std::vector<Finding>& all) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < config.bridges.size(); ++i) {
    const BridgeOptions& bridge = config.bridges[i];
    Findings findings{all, "bridge", i};
    findings.require(is_bridge_name(bridge.name), "name", "1 to 64 of A-Z a-z 0-9 . _ -");
    findings.require(names.insert(bridge.name).second, "name",
                     "a name of its own: another [[bridge]] has this one");
    findings.require(
        bridge.version == broker::Version::V5 || bridge.password.empty() || !bridge.username.empty(),
        "username", "a user name with the password: 3.1.1 has none without");
    findings.require(!bridge.topics.empty(), "topics", "one line or more: nothing is carried otherwise");
    for (const std::string& line : bridge.topics) {
      const auto parsed = broker::parse_bridge_topic(line);
      if (const auto* wrong = std::get_if<std::string>(&parsed)) {
        findings.add("topics", *wrong + ", in the line \"" + line + "\"");
      }
    }
    check_bridge_address(bridge, findings);
    check_bridge_tls(bridge, findings);
  }
}

void check_auth(const AuthOptions& options, std::vector<Finding>& all) {
  Findings auth{all, "auth", 0};
  auth.require_readable(options.jwt_jwks_file, "jwt_jwks_file");
  auth.require(!options.jwt_user_claim.empty(), "jwt_user_claim", "the name of a claim, as \"sub\"");
  auth.require(options.webhook_url.empty() || is_url(options.webhook_url, {"http://", "https://"}),
               "webhook_url", "an http:// or https:// URL");
  auth.require(std::ranges::all_of(options.webhook_secret, [](unsigned char c) { return c > 32 && c < 127; }),
               "webhook_secret", "printable ASCII without blanks: it goes into a header");
  auth.require_readable(options.webhook_ca_file, "webhook_ca_file");
}

void check_others(const Config& config, std::vector<Finding>& all) {
  Findings database{all, "database", 0};
  database.require(db::is_database_url(config.database.url), "url",
                   "what libpq can read: \"postgresql://user@host/name\" or \"host=... dbname=...\"");
  Findings cluster{all, "cluster", 0};
  cluster.require(config.cluster.nats_url.empty() || is_url(config.cluster.nats_url, {"nats://", "tls://"}),
                  "nats_url", "a NATS URL, as \"nats://host:4222\"");
  Findings limits{all, "limits", 0};
  limits.require(config.limits.max_queued_bytes >= config.limits.max_packet_bytes, "max_queued_bytes",
                 "at least max_packet, or the largest message could never be queued");
}

}  // namespace

std::vector<Finding> check(const Config& config) {
  std::vector<Finding> all;
  check_listeners(config, all);
  check_apps(config, all);
  check_bridges(config, all);
  check_auth(config.auth, all);
  check_others(config, all);
  return all;
}

}  // namespace wake::config
