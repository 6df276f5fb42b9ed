#include "gateway/bridge/bridges.hpp"

#include <future>
#include <random>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <sys/socket.h>

#include "db/bridge_lease.hpp"
#include "gateway/bridge/bridge.hpp"
#include "gateway/mqtt/shard.hpp"
#include "gateway/observe/log.hpp"
#include "gateway/thread_name.hpp"

namespace wake::gateway {

namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kAnswers{1};
constexpr std::chrono::seconds kStops{3};

std::optional<std::string> given(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

broker::RelayOptions relay_options(const config::BridgeOptions& options,
                                   const Bridges::Surroundings& surroundings, const BridgeLogins& logins) {
  const broker::Limits& limits = surroundings.limits;
  broker::RelayOptions relay;
  relay.name = options.name;
  relay.mark = surroundings.mark;
  const auto former = surroundings.former_filters.find(options.name);
  if (former != surroundings.former_filters.end()) relay.former_filters = former->second;
  relay.topics = config::topics_of(options);
  relay.max_topic_levels = limits.max_topic_levels;
  relay.seed = std::random_device{}();
  relay.local.client_id = BridgeLogins::client_id_of(options.name).value;
  relay.local.username = relay.local.client_id;
  relay.local.password = std::string(logins.password().reveal());
  relay.local.max_packet_bytes = 0xFFFFFFFF;  // what our own broker took, and a prefix more
  relay.remote.version = options.version;
  relay.remote.client_id = options.client_id.empty() ? "wakemq." + options.name : options.client_id;
  relay.remote.username = given(options.username);
  relay.remote.password = given(options.password);
  relay.remote.is_marked = options.try_private;
  relay.remote.clean_start = options.clean_start;
  relay.remote.keep_alive_s = static_cast<std::uint16_t>(options.keep_alive.count());
  relay.remote.max_packet_bytes = limits.max_packet_bytes;
  return relay;
}

/// One end for the bridge, the other on its way into the shard as a client that has just come.
FileDescriptor open_into(Shard& shard, const std::string& bridge) {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) return {};
  FileDescriptor ours(fds[0]);
  Arrival arrival;
  arrival.transport = make_plain_transport(FileDescriptor(fds[1]));
  arrival.facts = std::make_unique<broker::ListenerFacts>();
  arrival.facts->protocol = "bridge";
  arrival.facts->address = "bridge:" + bridge;
  arrival.has_shaken_hands = true;
  shard.post_arrival(std::move(arrival));
  return ours;
}

/// Another gateway has run the bridge until now, perhaps: what waits in storage for its session here is more
/// than this gateway knows of.
void take_over_session(Shard& shard, const broker::ClientId& client_id) {
  shard.post([client_id](broker::Broker& broker, broker::Now now) {
    const broker::Principal principal{broker::Principal::Kind::Service, client_id.value, "bridge"};
    broker.expect_stored(client_id, principal, now);
  });
}

}  // namespace

struct Bridges::Impl {
  void changed(const std::string& name, bool is_held);

  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
  std::vector<std::unique_ptr<Bridge>> bridges;
  std::function<Shard&(const broker::ClientId&)> home;
  bool is_stopping = false;
  std::promise<void> ended;
  std::thread thread;
  std::unique_ptr<db::BridgeLease> lease;  // calls changed(); its thread ends before the rest goes
};

Bridges::Bridges(const std::vector<config::BridgeOptions>& options, const Surroundings& surroundings,
                 const BridgeLogins& logins)
    : impl_(std::make_unique<Impl>()) {
  if (options.empty()) return;
  impl_->home = surroundings.home;
  db::BridgeLease::Options lease{.url = surroundings.database_url, .bridges = {}};
  for (const config::BridgeOptions& one : options) {
    lease.bridges.push_back(one.name);
    Shard& shard = surroundings.home(BridgeLogins::client_id_of(one.name));
    impl_->bridges.push_back(
        std::make_unique<Bridge>(impl_->io, one, relay_options(one, surroundings, logins),
                                 [&shard, name = one.name] { return open_into(shard, name); }));
  }
  impl_->thread = std::thread([impl = impl_.get()] {
    name_this_thread("bridges");
    impl->io.run();
    impl->ended.set_value();
  });
  const InheritedThreadName name("bridge-lease");
  impl_->lease = std::make_unique<db::BridgeLease>(
      std::move(lease),
      [impl = impl_.get()](const std::string& bridge, bool is_held) { impl->changed(bridge, is_held); },
      log_sink());
}

void Bridges::Impl::changed(const std::string& name, bool is_held) {
  log(LogLevel::Info, is_held ? "bridge.taken" : "bridge.given_up",
      name + (is_held ? ": this gateway runs it" : ": PostgreSQL is away, so another gateway may run it"));
  const broker::ClientId client_id = BridgeLogins::client_id_of(name);
  if (is_held) take_over_session(home(client_id), client_id);
  asio::post(io, [this, name, is_held] {
    if (is_stopping) return;
    for (const auto& bridge : bridges) {
      if (bridge->options().name == name) is_held ? bridge->start() : bridge->end();
    }
  });
}

Bridges::~Bridges() { stop(); }

std::vector<BridgeStatus> Bridges::status() {
  if (impl_->bridges.empty()) return {};
  const auto answer = std::make_shared<std::promise<std::vector<BridgeStatus>>>();
  auto answered = answer->get_future();
  asio::post(impl_->io, [impl = impl_.get(), answer] {
    std::vector<BridgeStatus> all;
    for (const auto& bridge : impl->bridges) {
      all.push_back(
          {bridge->options().name, bridge->options().address, bridge->is_running(), bridge->status()});
    }
    answer->set_value(std::move(all));
  });
  if (answered.wait_for(kAnswers) != std::future_status::ready) return {};
  return answered.get();
}

void Bridges::reload(const std::vector<config::BridgeOptions>& options) {
  asio::post(impl_->io, [impl = impl_.get(), options] {
    for (const auto& bridge : impl->bridges) {
      for (const config::BridgeOptions& one : options) {
        if (one.name == bridge->options().name) bridge->reload(one);
      }
    }
  });
}

void Bridges::stop() {
  if (!impl_->thread.joinable()) return;
  asio::post(impl_->io, [impl = impl_.get()] {
    impl->is_stopping = true;
    for (const auto& bridge : impl->bridges) bridge->end();
    impl->work.reset();  // the loop ends with the last goodbye
  });
  if (impl_->ended.get_future().wait_for(kStops) != std::future_status::ready) impl_->io.stop();
  impl_->thread.join();
  impl_->lease.reset();  // not before: whoever takes over must find the other broker without us
}

}  // namespace wake::gateway
