// The table itself. Prose is one or two sentences for an operator: what it does, when to change it. Defaults
// are not here: they are printed from the structs.
#include "config/keys.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "config/auth_keys.hpp"
#include "config/bridge_keys.hpp"
#include "config/limit_keys.hpp"
#include "config/listener_keys.hpp"

namespace wake::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kDay{24 * 3600};
constexpr seconds kYear{366 * kDay};

constexpr std::array kSections{
    SectionInfo{"listener", true,
                "Where clients come in. Without any: MQTT on 1883 and REST on 8080, on all addresses. One or "
                "more here "
                "replace both."},
    SectionInfo{"database", false, "PostgreSQL 15 or later, the only place where state lives."},
    SectionInfo{"auth", false, "Who may enter."},
    SectionInfo{"delivery", false, "When a phone counts as not reached, and how long its messages wait."},
    SectionInfo{"limits", false, "What one client, or all of them, can make the gateway spend."},
    SectionInfo{"push.app", true,
                "An app and the provider that wakes its phones. One id may have an entry per platform and "
                "environment.",
                false},
    SectionInfo{
        "bridge", true,
        "Another MQTT broker that this one connects to, and the topics carried between the two. What waits "
        "for it while it is away is durable like any session's; see [limits] max_queued_messages."},
    SectionInfo{"server", false, "The process itself."},
    SectionInfo{"cluster", false, "Several gateways as one."},
    SectionInfo{"log", false, "To standard error, one line an event."},
};

const Choice<broker::Platform> kPlatforms{{{"apns", broker::Platform::Apns}, {"fcm", broker::Platform::Fcm}}};
const Choice<broker::Environment> kEnvironments{
    {{"production", broker::Environment::Production}, {"sandbox", broker::Environment::Sandbox}}};
const Choice<LogThreshold> kLevels{{{"debug", LogThreshold::Debug},
                                    {"info", LogThreshold::Info},
                                    {"warn", LogThreshold::Warn},
                                    {"error", LogThreshold::Error}}};
const Choice<LogFormat> kFormats{{{"text", LogFormat::Text}, {"json", LogFormat::Json}}};

std::vector<Key> storage_keys() {
  using D = db::DatabaseOptions;
  return {
      {.section = "database",
       .name = "url",
       .field = field(&D::url, Text{"a libpq connection string, as \"postgresql://user@host/wakemq\""}),
       .prose =
           "libpq's URI or key=value form; empty parts are libpq's own defaults. Run `wakemq migrate` once.",
       .is_secret = true},
      {.section = "database",
       .name = "pool",
       .field = field(&D::pool, Integer{1, 1000}),
       .prose = "Connections for REST and log-ins. A handful more are opened for commits and listening."},
  };
}

std::vector<Key> delivery_keys() {
  using D = broker::DeliveryOptions;
  return {
      {.section = "delivery",
       .name = "ack_timeout",
       .field = field(&D::ack_timeout, Span<milliseconds>{milliseconds(100), seconds(3600)}),
       .prose = "A phone in the foreground that has not acknowledged a message by then is pushed."},
      {.section = "delivery",
       .name = "inbox_ttl",
       .field = field(&D::inbox_ttl, Span<seconds>{seconds(60), kYear}),
       .prose = "How long a message waits in the inbox for a phone that does not come."},
      {.section = "delivery",
       .name = "commit_window",
       .field = field(&D::commit_window, Span<milliseconds>{milliseconds(0), milliseconds(1000)}),
       .prose =
           "How long writes are gathered into one transaction. More: cheaper and later acknowledgements."},
  };
}

std::vector<Key> push_keys() {
  using P = push::AppOptions;
  return {
      {.section = "push.app",
       .name = "id",
       .field = field(&P::id, Text{"the app id that phones register with"}),
       .prose = "The app id that phones register with.",
       .example = "\"com.example.cam\"",
       .needs_restart = false},
      {.section = "push.app",
       .name = "platform",
       .field = field(&P::platform, kPlatforms),
       .prose = "Apple's or Google's service.",
       .needs_restart = false},
      {.section = "push.app",
       .name = "topic",
       .field = field(&P::topic, Text{"the app's bundle id"}),
       .prose = "APNs: the app's bundle id.",
       .example = "\"com.example.cam\"",
       .needs_restart = false},
      {.section = "push.app",
       .name = "environment",
       .field = field(&P::environment, kEnvironments),
       .prose = "APNs: sandbox is for apps installed from Xcode.",
       .needs_restart = false},
      {.section = "push.app",
       .name = "key_file",
       .field = field(&P::key_file, kFile),
       .prose = "APNs: the AuthKey_*.p8 from Apple's developer site; with cert_file, that certificate's key.",
       .example = "\"/etc/wakemq/AuthKey_ABC123DEFG.p8\"",
       .needs_restart = false},
      {.section = "push.app",
       .name = "key_id",
       .field = field(&P::key_id, Text{"the 10 characters of the key's id"}),
       .prose = "APNs: the 10 characters in that file's name.",
       .example = "\"ABC123DEFG\"",
       .needs_restart = false},
      {.section = "push.app",
       .name = "team_id",
       .field = field(&P::team_id, Text{"the 10 characters of the team's id"}),
       .prose = "APNs: the 10 characters of your team.",
       .example = "\"DEF123GHIJ\"",
       .needs_restart = false},
      {.section = "push.app",
       .name = "cert_file",
       .field = field(&P::cert_file, kFile),
       .prose = "APNs: a push certificate in PEM instead of a token key; its private key goes into key_file.",
       .needs_restart = false},
      {.section = "push.app",
       .name = "service_account_file",
       .field = field(&P::service_account_file, kFile),
       .prose = "FCM: the service account's JSON from the Google Cloud console.",
       .needs_restart = false},
      {.section = "push.app",
       .name = "endpoint",
       .field = field(&P::endpoint, Text{"\"https://host:port\""}),
       .prose = "Stands in for the provider's own, as a simulator does.",
       .needs_restart = false},
      {.section = "push.app",
       .name = "ca_file",
       .field = field(&P::ca_file, kFile),
       .prose = "Certificates trusted there, instead of the system's.",
       .needs_restart = false},
      {.section = "push.app",
       .name = "proxy",
       .field = field(&P::proxy, Text{"\"http://host:port\""}),
       .prose = "An HTTP proxy that knows CONNECT.",
       .needs_restart = false,
       .is_secret = true},
  };
}

std::vector<Key> other_keys() {
  return {
      {.section = "server",
       .name = "shards",
       .field = field(&ServerOptions::shards, Integer{0, kMaxShards}),
       .prose = "Threads that serve MQTT, each with clients of its own. 0: one per core, at most 16."},
      {.section = "server",
       .name = "sys_interval",
       .field = field(&ServerOptions::sys_interval, Span<seconds>{seconds(0), seconds(3600)}),
       .prose = "How often $SYS/broker/... is measured. 0s: there is no $SYS."},
      {.section = "cluster",
       .name = "nats_url",
       .field = field(&ClusterOptions::nats_url, Text{"a NATS URL, as \"nats://host:4222\""}),
       .prose = "The NATS server through which gateways speak. Empty: one node.",
       .is_secret = true},
      {.section = "log",
       .name = "level",
       .field = field(&LogOptions::level, kLevels),
       .prose = "The least that is written.",
       .needs_restart = false},
      {.section = "log",
       .name = "format",
       .field = field(&LogOptions::format, kFormats),
       .prose = "text for people, json for collectors."},
  };
}

std::vector<Key> make_keys() {
  std::vector<Key> table;
  for (auto make : {listener_keys, storage_keys, auth_keys, delivery_keys, limit_keys, push_keys, bridge_keys,
                    other_keys}) {
    for (Key& key : make()) table.push_back(std::move(key));
  }
  return table;
}

}  // namespace

std::span<const SectionInfo> sections() { return kSections; }

std::span<const Key> keys() {
  static const std::vector<Key> table = make_keys();
  return table;
}

const SectionInfo* find_section(std::string_view name) {
  const auto found = std::ranges::find(kSections, name, &SectionInfo::name);
  return found == kSections.end() ? nullptr : &*found;
}

const Key* find_key(std::string_view section, std::string_view name) {
  const auto is_it = [&](const Key& key) { return key.section == section && key.name == name; };
  const auto found = std::ranges::find_if(keys(), is_it);
  return found == keys().end() ? nullptr : &*found;
}

std::size_t element_count(const Config& config, std::string_view section) {
  if (section == "listener") return config.listeners.size();
  if (section == "push.app") return config.push_apps.size();
  if (section == "bridge") return config.bridges.size();
  return 1;
}

void clear_elements(Config& config, std::string_view section) {
  if (section == "listener") config.listeners.clear();
  if (section == "push.app") config.push_apps.clear();
  if (section == "bridge") config.bridges.clear();
}

void grow_elements(Config& config, std::string_view section, std::size_t count) {
  if (section == "listener" && config.listeners.size() < count) config.listeners.resize(count);
  if (section == "push.app" && config.push_apps.size() < count) config.push_apps.resize(count);
  if (section == "bridge" && config.bridges.size() < count) config.bridges.resize(count);
}

std::string path_of(std::string_view section, std::size_t index, std::string_view name) {
  const SectionInfo* info = find_section(section);
  std::string path(section);
  if (info != nullptr && info->is_array) path.append("[").append(std::to_string(index)).append("]");
  if (!name.empty()) path.append(path.empty() ? "" : ".").append(name);
  return path;
}

std::string variable_of(const Key& key, std::string_view n) {
  std::string variable = "WAKEMQ_";
  for (const char c : key.section) variable += c == '.' ? '_' : static_cast<char>(std::toupper(c));
  if (find_section(key.section)->is_array) variable.append("_").append(n);
  variable += '_';
  for (const char c : key.name) variable += static_cast<char>(std::toupper(c));
  return variable;
}

}  // namespace wake::config
