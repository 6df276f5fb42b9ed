// Making the node, keeping it, and its orderly end. What its shards ask for is in node_host.cpp, what the
// registry says in node_registry.cpp.
#include "gateway/node.hpp"

#include <algorithm>
#include <random>
#include <stdexcept>
#include <thread>

#include <nlohmann/json.hpp>

#include "db/bridge_lease.hpp"
#include "db/installation.hpp"
#include "db/outbox_claims.hpp"
#include "db/registry_store.hpp"
#include "gateway/boot.hpp"
#include "gateway/clock.hpp"
#include "gateway/observe/log.hpp"
#include "gateway/observe/metrics.hpp"
#include "gateway/observe/sys_topics.hpp"
#include "gateway/push_notifications.hpp"
#include "gateway/quiet_hours.hpp"
#include "gateway/thread_name.hpp"

namespace wake::gateway {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr int kClaimPage = 500;
constexpr int kMaxExpectedAlerts = 100'000;  // as many as the dispatcher holds
constexpr int kSweepPage = 1'000;
constexpr unsigned kLoadWorkers = 2;

/// Makes a part whose own thread is then called `name`.
template <class Part, class... Arguments>
void make_named(const char* name, std::unique_ptr<Part>& part, Arguments&&... arguments) {
  const InheritedThreadName inherited(name);
  part = std::make_unique<Part>(std::forward<Arguments>(arguments)...);
}

std::vector<Shard*> pointers_to(const std::vector<std::unique_ptr<Shard>>& shards) {
  std::vector<Shard*> pointers;
  for (const auto& shard : shards) pointers.push_back(shard.get());
  return pointers;
}

}  // namespace

unsigned shard_count_of(const config::Config& config) {
  if (config.server.shards > 0) return config.server.shards;
  return std::clamp(std::thread::hardware_concurrency(), 1u, config::kMaxShards);
}

Node::Node(const config::Config& config, Authenticator& authenticator, db::Pool& pool,
           AddressLimit& addresses, PairHandler pair)
    : authenticator_(authenticator),
      pool_(pool),
      load_pool_({config.database.url, static_cast<int>(kLoadWorkers) + 2}),
      pair_(std::move(pair)),
      addresses_(addresses),
      admission_(config.limits.max_connections, config.limits.connects_per_second, addresses),
      bridge_logins_(config.bridges),
      will_heir_(load_pool_,
                 [this](broker::WillRecord&& will) {
                   Shard& home = home_of(will.client_id);
                   home.post([will = std::move(will)](broker::Broker& broker, broker::Now now) {
                     broker.load_will(will, now);
                   });
                 }),
      alerts_(load_pool_,
              {.node = [this] { return claiming_number(); },
               .send = [this](const db::Alert& alert, const broker::MessageRecord& message,
                              std::function<void()> done) { send_alert(alert, message, std::move(done)); }}),
      login_workers_("login", std::max(2u, std::thread::hardware_concurrency())),
      load_workers_("load", kLoadWorkers) {
  const auto changed = [](int number) {
    if (number >= 0) log(LogLevel::Info, "node.number", "this is node " + std::to_string(number));
  };
  make_named("node-lease", lease_, db::NodeLease::Options{.url = config.database.url}, changed, log_sink());
  const std::string mark = load_mark();
  make_shards(config, mark);
  make_stores(config);
  load_everything(config);
  for (const auto& shard : shards_) shard->start(pointers_to(shards_));
  claims_ = std::make_unique<Periodic>("claims", seconds(1), [this] { return claim_due(); });
  sweeps_ = std::make_unique<Periodic>("sweep", seconds(30), [this] { return sweep(); });
  // Under another number than the shards' our own wills would look like somebody else's.
  inheritance_ = std::make_unique<Periodic>("wills", seconds(1), [this, own = lease_->number()] {
    return will_heir_.look(claiming_number() == own ? own : -1);
  });
  alert_rounds_ = std::make_unique<Periodic>("alerts", milliseconds(0), [this] { return tell_alerts(); });
  bridges_ = std::make_unique<Bridges>(
      config.bridges,
      Bridges::Surroundings{.limits = config.limits,
                            .mark = mark,
                            .database_url = config.database.url,
                            .former_filters = exchange_filters(config.bridges),
                            .home = [this](const broker::ClientId& id) -> Shard& { return home_of(id); }},
      bridge_logins_);
  if (const seconds interval = config.server.sys_interval; interval > seconds(0)) {
    const auto topics = std::make_shared<SysTopics>(WAKE_VERSION, std::chrono::steady_clock::now());
    sys_ = std::make_unique<Periodic>("sys", milliseconds(0), [this, topics, interval] {
      tell_sys(*topics);
      return milliseconds(interval);
    });
  }
}

Node::~Node() {
  sys_.reset();
  bridges_.reset();
  claims_.reset();
  sweeps_.reset();
  inheritance_.reset();
  alert_rounds_.reset();
  registry_listener_.reset();
  login_workers_.stop();
  load_workers_.stop();
  for (const auto& shard : shards_) shard->stop();
}

std::string Node::load_mark() {
  return load_pool_.with([](db::Connection& connection) { return db::installation_mark(connection); });
}

std::map<std::string, std::vector<std::string>> Node::exchange_filters(
    const std::vector<config::BridgeOptions>& bridges) {
  std::vector<db::BridgeFilters> wanted;
  for (const config::BridgeOptions& bridge : bridges) {
    wanted.push_back({bridge.name, {}});
    for (const broker::BridgeTopic& topic : config::topics_of(bridge)) {
      if (topic.comes_in()) wanted.back().filters.push_back(topic.remote_filter());
    }
  }
  std::map<std::string, std::vector<std::string>> former;
  load_pool_.with([&](db::Connection& connection) {
    for (db::BridgeFilters& one : db::exchange_bridge_filters(connection, wanted))
      former.emplace(std::move(one.bridge), std::move(one.filters));
  });
  return former;
}

void Node::make_shards(const config::Config& config, const std::string& mark) {
  const unsigned count = shard_count_of(config);
  const auto node = static_cast<unsigned>(lease_->number());
  std::random_device random;
  const std::uint64_t seed = std::uint64_t{random()} << 32 | random();
  for (unsigned k = 0; k < count; ++k) {
    shards_.push_back(std::make_unique<Shard>(
        ShardOptions{{k, count, node, seed, mark}, config.limits, config.delivery, is_quiet}, *this));
  }
}

void Node::make_stores(const config::Config& config) {
  db::OutboxStoreOptions outbox;
  outbox.url = config.database.url;
  outbox.node = [this] { return claiming_number(); };
  outbox.token_removed = [this](const db::TokenRemoved& removed) { tell_token_removed(removed); };
  make_named("outbox", outbox_, std::move(outbox), log_sink());
  push::DispatcherOptions dispatching;
  dispatching.limits.per_second = config.limits.pushes_per_second;
  make_named("push", dispatcher_, config.push_apps, std::move(dispatching), *outbox_, log_sink());
  db::CommitQueueOptions commits;
  commits.url = config.database.url;
  commits.node = [this] { return claiming_number(); };
  commits.failed = [this](unsigned shard, std::uint64_t batch, const std::string& error) {
    log(LogLevel::Error, "commit.refused", "PostgreSQL refused what was to be stored: " + error);
    shards_[shard]->post_committed(batch, true);
  };
  make_named(
      "commits", commit_queue_, std::move(commits),
      [this](unsigned shard, std::uint64_t batch) { shards_[shard]->post_committed(batch, false); },
      log_sink());
}

void Node::load_everything(const config::Config& config) {
  // Listening comes first, or a change between the load and the listening is missed.
  make_named("registry", registry_listener_, db::RegistryListener::Options{.url = config.database.url},
             db::RegistryListener::Callbacks{[this](const db::RegistryChange& change) { apply(change); },
                                             [this] { resync_registry(); }},
             log_sink());
  if (!registry_listener_->wait_until_listening(seconds(5))) {
    throw db::StorageAway("no connection that hears changes of the registry within 5 s");
  }
  const auto begun = std::chrono::steady_clock::now();
  const Loaded loaded = load_pool_.with([&](db::Connection& connection) {
    db::release_claims(connection, lease_->number());
    Loaded all = load_into(pointers_to(shards_), connection, bridge_logins_,
                           static_cast<unsigned>(lease_->number()), read_clocks());
    // Only now: what was provisional is forgotten, and does not come back.
    dispatcher_->expect(db::load_waiting_alerts(connection, lease_->number(), kMaxExpectedAlerts));
    return all;
  });
  const auto took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun);
  log(LogLevel::Info, "node.loaded",
      std::to_string(loaded.sessions) + " sessions, " + std::to_string(loaded.retained) +
          " retained messages, " + std::to_string(loaded.users) + " users, " + std::to_string(loaded.wills) +
          " wills in " + std::to_string(took.count()) + " ms; node " + std::to_string(lease_->number()) +
          ", shards: " + std::to_string(shards_.size()));
}

std::vector<Shard*> Node::shards() const { return pointers_to(shards_); }

Shard& Node::home_of(const broker::ClientId& client_id) const {
  return *shards_[broker::home_shard(client_id.value, static_cast<unsigned>(shards_.size()))];
}

int Node::claiming_number() const { return lease_->is_held() ? lease_->number() : -1; }

void Node::tell_token_removed(const db::TokenRemoved& removed) {
  const std::string event = nlohmann::json{{"type", "push_token_removed"}, {"phone", removed.name}}.dump();
  for (const broker::ClientId& client_id : removed.client_ids) {
    home_of(client_id).post([client_id, event](broker::Broker& broker, broker::Now now) {
      broker.send_direct(client_id, "$wake/events", event, now);
    });
  }
}

void Node::send_alert(const db::Alert& alert, const broker::MessageRecord& message,
                      std::function<void()> done) {
  const std::uint64_t ticket =
      expect_settlement([done = std::move(done)](broker::PublishSettled) { done(); });
  home_of(alert.client_id)
      .post([id = alert.client_id, message, row = alert.id, ticket](broker::Broker& broker, broker::Now now) {
        broker.send_alert(id, message, row, ticket, now);
      });
}

/// What a notice did not bring: of before the start, of a gateway that died.
milliseconds Node::tell_alerts() {
  try {
    alerts_.tell(std::nullopt);
  } catch (const std::exception& error) {
    log(LogLevel::Debug, "alerts.not_read", error.what());  // the commit queue tells of an away PostgreSQL
  }
  return seconds(10);
}

milliseconds Node::claim_due() {
  const int number = claiming_number();
  if (number < 0) return seconds(1);
  try {
    auto claimed = load_pool_.with([&](db::Connection& connection) {
      return db::claim(connection, number, read_clocks().utc, kClaimPage, log_bad_policy);
    });
    const bool is_full = claimed.size() >= kClaimPage;
    std::vector<broker::Notice> notices;
    for (push::Notification& one : claimed) notices.push_back(to_notice(std::move(one)));
    if (notices.empty()) return seconds(1);
    log(LogLevel::Info, "outbox.claimed", std::to_string(notices.size()) + " notifications that were due");
    // The shard that owns the phone decides; the others ignore what is not theirs.
    for (const auto& shard : shards_) {
      shard->post([notices](broker::Broker& broker, broker::Now now) { broker.on_claimed(notices, now); });
    }
    return is_full ? milliseconds(50) : seconds(1);
  } catch (const std::exception& error) {
    log(LogLevel::Debug, "outbox.not_claimed", error.what());  // the commit queue tells of an away PostgreSQL
    return seconds(2);
  }
}

milliseconds Node::sweep() {
  // What waits in the commit queue may refer to rows that look unowed.
  if (commit_queue_->status().pending_batches > 100 || !commit_queue_->status().is_connected)
    return seconds(30);
  try {
    const db::SweepResult result = load_pool_.with([&](db::Connection& connection) {
      return db::sweep(connection, read_clocks().utc, kSweepPage, sweep_cursor_);
    });
    return result.is_full ? seconds(1) : seconds(30);
  } catch (const std::exception& error) {
    log(LogLevel::Warn, "sweep.failed", error.what());
    return seconds(30);
  }
}

void Node::tell_sys(SysTopics& topics) {
  const SysReading reading{take_snapshots(shards()), bridges_->status(), heap_bytes_in_use()};
  const auto values = topics.update(reading, std::chrono::steady_clock::now());
  if (values.empty()) return;
  for (const auto& shard : shards_) {
    shard->post([values](broker::Broker& broker, broker::Now now) { broker.publish_sys(values, now); });
  }
}

bool Node::stop(broker::SteadyTime deadline) {
  const auto left = [&] {
    return std::max(milliseconds(0),
                    std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now()));
  };
  sys_.reset();
  bridges_->stop();
  claims_.reset();
  sweeps_.reset();
  inheritance_.reset();
  alert_rounds_.reset();
  registry_listener_.reset();
  for (const auto& shard : shards_) shard->close_listeners();
  login_workers_.stop();
  load_workers_.stop();
  for (const auto& shard : shards_) {
    shard->post([](broker::Broker& broker, broker::Now now) { broker.shut_down(now); });
  }
  // Clients get at most a third of the time to take their last bytes; the rest is for the disk.
  const broker::SteadyTime clients_until = std::chrono::steady_clock::now() + left() / 3;
  while (admission_.connections() > 0 && std::chrono::steady_clock::now() < clients_until) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  dispatcher_->stop(std::chrono::steady_clock::now() + left() / 3);
  for (const auto& shard : shards_) shard->stop();  // from here on nobody submits
  const bool is_committed = commit_queue_->stop(left() * 2 / 3);
  give_up_settlements();
  const bool is_resolved = outbox_->stop(left());
  return is_committed && is_resolved;
}

}  // namespace wake::gateway
