// The order of starting and stopping. REST comes first and goes last, so that /healthz and /readyz tell what
// is going on.
#include "gateway/server.hpp"

#include <algorithm>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <thread>

#include <sys/resource.h>

#include "config/load.hpp"
#include "db/migrate.hpp"
#include "db/storage_away.hpp"
#include "gateway/auth/authenticator.hpp"
#include "gateway/auth/jwt.hpp"
#include "gateway/auth/webhook.hpp"
#include "gateway/device_pairing.hpp"
#include "gateway/node.hpp"
#include "gateway/observe/log.hpp"
#include "gateway/port_impl.hpp"
#include "gateway/rest/server.hpp"
#include "gateway/signals.hpp"
#include "gateway/thread_name.hpp"

namespace wake::gateway {

namespace {

using std::chrono::seconds;

constexpr seconds kRetryStorage{2};
constexpr seconds kStopWithin{9};  // contract §3: exit within 10 s

/// Everything that serve() makes, in the order of making.
class Server {
 public:
  explicit Server(const config::Config& config)
      : config_(config),
        addresses_(config.limits.max_connections_per_address),
        listeners_(config.listeners, config.limits.max_packet_bytes),
        pool_(config.database),
        webhook_(config.auth.webhook_url.empty() ? nullptr : std::make_shared<Webhook>(config.auth)),
        authenticator_(pool_, {.allow_anonymous = config.auth.allow_anonymous, .webhook = webhook_}),
        rest_options_(rest_options(config)),
        pairing_(rest_options_, port_, authenticator_, pool_) {
    authenticator_.use_jwt(load_jwt_verifier(config.auth), config.auth.jwt_create_users);
  }
  /// Its threads use what goes from here on.
  ~Server() { stop_webhook(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int run() {
    {
      const InheritedThreadName name("rest-worker");
      RestOptions options = rest_options_;
      options.addresses = &addresses_;
      rest_.emplace(std::move(options), port_, authenticator_, pool_, log_sink());
      rest_->start();
    }
    if (!wait_for_node()) {
      rest_->stop();
      return 0;
    }
    node_->open_listeners(listeners_);
    port_.attach(*node_);
    log(LogLevel::Info, "gateway.ready", "serving");
    while (signals_.wait() == Signals::Kind::Reload) reload();
    return stop();
  }

 private:
  static RestOptions rest_options(const config::Config& config) {
    RestOptions options;
    options.listeners = config.listeners;
    options.self_registration = config.auth.self_registration;
    options.token_ttl = config.auth.token_ttl;
    options.refresh_ttl = config.auth.refresh_ttl;
    options.proxy_timeout = config.limits.connect_timeout;
    options.max_phones_per_user = config.limits.max_phones_per_user;
    options.max_topic_levels = config.limits.max_topic_levels;
    options.requests_per_second = config.request_limits.requests_per_second;
    options.requests_per_second_per_address = config.request_limits.requests_per_second_per_address;
    options.max_idempotency_keys = config.request_limits.max_idempotency_keys;
    options.idempotency_ttl = config.request_limits.idempotency_ttl;
    options.max_payload_bytes = config.limits.max_packet_bytes;
    return options;
  }

  /// False: told to stop while waiting.
  bool wait_for_node() {
    for (;;) {
      try {
        need_migrated();
        node_.emplace(config_, authenticator_, pool_, addresses_,
                      [this](const broker::PairRequest& request) { pairing_.claim(request); });
        return true;
      } catch (const db::StorageAway& error) {
        port_.set_waiting_for(error.what());
        log(LogLevel::Error, "gateway.waiting",
            std::string("PostgreSQL is away, MQTT stays closed; trying again: ") + error.what());
      }
      if (signals_.wait_for(kRetryStorage) == Signals::Kind::Stop) return false;
    }
  }

  void need_migrated() {
    const db::MigrationStatus status = db::check_migrations(config_.database.url);
    if (status.pending.empty()) return;
    throw std::runtime_error("the database lacks migration " + status.pending.front() +
                             (status.pending.size() > 1 ? " and later ones" : "") +
                             ": run `wakemq migrate` first");
  }

  void reload() {
    const config::Loaded loaded = config::load(
        config_.file.empty() ? std::nullopt : std::optional(config_.file), config::process_environment());
    for (const config::Problem& problem : loaded.problems)
      log(LogLevel::Error, "reload.refused", problem.text());
    if (!loaded.problems.empty()) return;
    for (const std::string& key : config::needs_restart(config_, loaded.config)) {
      log(LogLevel::Warn, "reload.needs_restart", key + " changes only with a restart");
    }
    std::string taken = "log level, push apps, log-ins of bridges";
    const auto take_up = [&](const std::string& what, const auto& step) {
      try {
        step();
        taken += ", " + what;
      } catch (const std::runtime_error& error) {
        log(LogLevel::Error, "reload.refused", what + " stay as they are: " + error.what());
      }
    };
    take_up("JWT keys", [&] {
      authenticator_.use_jwt(load_jwt_verifier(loaded.config.auth), loaded.config.auth.jwt_create_users);
    });
    take_up("MQTT listeners", [&] { listeners_.reload(loaded.config.listeners, node_->shards()); });
    take_up("HTTP listeners", [&] { rest_->reload(loaded.config.listeners); });
    set_log_threshold(loaded.config.log.level);
    node_->dispatcher().reload(loaded.config.push_apps);
    node_->bridges().reload(loaded.config.bridges);
    log(LogLevel::Info, "gateway.reloaded", "taken up: " + taken);
  }

  void stop_webhook() {
    if (webhook_) webhook_->stop();
  }

  int stop() {
    log(LogLevel::Info, "gateway.stopping", "closing clients and storing what is owed");
    signals_.end_by_next_or_after(kStopWithin);
    port_.set_stopping();
    stop_webhook();
    const auto deadline = std::chrono::steady_clock::now() + kStopWithin - seconds(1);
    std::thread rest_stop([this] {
      name_this_thread("rest-stop");
      rest_->stop();
    });
    const bool is_clean = node_->stop(deadline);
    rest_stop.join();
    node_.reset();
    if (is_clean) {
      log(LogLevel::Info, "gateway.stopped", "all is stored");
    } else {
      log(LogLevel::Warn, "gateway.stopped",
          "PostgreSQL did not take everything; nothing of that was acknowledged");
    }
    return 0;
  }

  const config::Config config_;
  Signals signals_;
  AddressLimit addresses_;
  PortImpl port_;
  MqttListeners listeners_;
  db::Pool pool_;
  const std::shared_ptr<Webhook> webhook_;
  Authenticator authenticator_;
  const RestOptions rest_options_;
  DevicePairing pairing_;
  std::optional<Node> node_;
  std::optional<RestServer> rest_;
};

/// As many descriptors as we may have: each client is one.
void raise_descriptor_limit(std::uint32_t max_connections) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < max_connections + 100) {
    log(LogLevel::Warn, "gateway.few_descriptors",
        "limits.max_connections is " + std::to_string(max_connections) + " but the system allows only " +
            std::to_string(limit.rlim_cur) + " open files: raise ulimit -n or LimitNOFILE");
  }
}

std::string facts_of(const config::Config& config) {
  return "wakemq " WAKE_VERSION ", configuration " + (config.file.empty() ? "by default" : config.file) +
         ", " + std::to_string(shard_count_of(config)) + " shards, " +
         std::to_string(config.push_apps.size()) + " push apps";
}

}  // namespace

int serve(const config::Config& config) {
  start_log(config.log);
  log(LogLevel::Info, "gateway.starting", facts_of(config));
  if (config.auth.allow_anonymous) {
    log(LogLevel::Warn, "gateway.anonymous",
        "auth.allow_anonymous: clients without credentials may do everything");
  }
  for (const config::ListenerOptions& listener : config.listeners) {
    if (std::ranges::find(listener.auth, "anonymous") == listener.auth.end()) continue;
    log(LogLevel::Warn, "gateway.anonymous",
        "listener " + listener.address + ": clients without credentials may do everything");
  }
  if (!config.auth.jwt_jwks_file.empty() && config.auth.jwt_audience.empty()) {
    log(LogLevel::Warn, "gateway.any_audience",
        "auth.jwt_audience is empty: JWTs that were made for other services are taken, too");
  }
  raise_descriptor_limit(config.limits.max_connections);
  for (const std::string& key : config::unused_keys(config)) {
    log(LogLevel::Warn, "config.unused", key + " is set, but this version does nothing with it yet");
  }
  try {
    return Server(config).run();
  } catch (const std::exception& error) {
    log(LogLevel::Error, "gateway.not_started", error.what());
    return 1;
  }
}

}  // namespace wake::gateway
