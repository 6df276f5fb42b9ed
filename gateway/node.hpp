// The running gateway behind its listeners: shards, commit queue, outbox, dispatcher, registry, and the wires
// between them. Made once PostgreSQL is there and its schema fits; from then on an away PostgreSQL only makes
// acknowledgements wait. How REST speaks to it is port_impl.hpp; how it is loaded, boot.hpp.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "config/config.hpp"
#include "db/commit_queue.hpp"
#include "db/node_lease.hpp"
#include "db/outbox_store.hpp"
#include "db/pool.hpp"
#include "db/registry_listener.hpp"
#include "db/sweep.hpp"
#include "gateway/alert_teller.hpp"
#include "gateway/bridge/bridges.hpp"
#include "gateway/listen/admission.hpp"
#include "gateway/listen/mqtt_listeners.hpp"
#include "gateway/mqtt/shard.hpp"
#include "gateway/mqtt/shard_host.hpp"
#include "gateway/periodic.hpp"
#include "gateway/recent_changes.hpp"
#include "gateway/will_heir.hpp"
#include "gateway/worker_pool.hpp"
#include "push/dispatcher.hpp"

namespace wake::gateway {

class Authenticator;
class SysTopics;

class Node final : public ShardHost {
 public:
  /// A device published $wake/pair; called on a worker, may block.
  using PairHandler = std::function<void(const broker::PairRequest&)>;

  /// Takes the node number, loads what is stored, starts every thread but those of the listeners. Throws
  /// db::StorageAway: try again later; std::runtime_error: it cannot be. `authenticator`, `pool` and
  /// `addresses` outlive it.
  Node(const config::Config& config, Authenticator& authenticator, db::Pool& pool, AddressLimit& addresses,
       PairHandler pair);
  /// Without waiting for anything; stop() is the orderly way.
  ~Node();

  void open_listeners(MqttListeners& listeners) { listeners.open(shards(), admission_); }

  /// Stops accepting, closes clients (5.0: 0x8B), commits what is owed, resolves the outbox: until
  /// `deadline`. True: nothing was left undone.
  bool stop(broker::SteadyTime deadline);

  // ---- any thread
  std::vector<Shard*> shards() const;
  Shard& home_of(const broker::ClientId& client_id) const;
  db::Pool& pool() const { return pool_; }
  push::Dispatcher& dispatcher() { return *dispatcher_; }
  const AddressLimit& addresses() const { return addresses_; }
  db::CommitStatus commit_status() const { return commit_queue_->status(); }
  db::OutboxStore::Status outbox_status() const { return outbox_->status(); }
  std::size_t waiting_logins() const { return login_workers_.waiting(); }
  const Authenticator& authenticator() const { return authenticator_; }
  Bridges& bridges() { return *bridges_; }
  int number() const { return lease_->number(); }

  /// Loads the user and hands the record to every shard; `applied` is called by each once it has it. Records
  /// of one user are handed out in the order they were loaded. Blocks; throws what db throws.
  broker::UserRecordPtr refresh_user(broker::UserId user, const std::function<void()>& applied = {});
  /// The principal's credentials changed or it is no more: its connections end, of one that is gone its
  /// sessions too. `applied` as above. Blocks; throws db::StorageAway.
  void end_logins(const broker::Principal& principal, const std::function<void()>& applied = {});
  /// One log-in of the user's was revoked: connections made by its tokens end. `applied` as above.
  void revoke_login(broker::UserId user, std::int64_t login, const std::function<void()>& applied = {});

  /// The answer to the Broker::publish() with this ticket comes to `answer`, once; ServerShuttingDown when
  /// stop() came first.
  std::uint64_t expect_settlement(std::function<void(broker::PublishSettled)> answer);
  void forget_settlement(std::uint64_t ticket);

 private:
  // ShardHost
  void authenticate(unsigned shard, broker::Authenticate question) override;
  void judge_will(unsigned shard, broker::JudgeWill question) override;
  void load_queue(unsigned shard, broker::LoadQueue load) override;
  void commit(unsigned shard, broker::Persist batch) override;
  void notify(std::vector<broker::Notice> notices) override;
  void cancel(broker::CancelNotice notice) override;
  void recall(broker::RecallNotices notices) override;
  void read_user(broker::UserId user) override;
  void settled(broker::PublishSettled settled) override;
  void pair(broker::PairRequest request) override;

  struct Login;
  static std::shared_ptr<Login> to_login(unsigned shard, broker::Authenticate& question);
  /// On a worker, or on a thread of the webhook.
  void judge_login(const std::shared_ptr<Login>& login);
  bool wait_for_webhook(const std::shared_ptr<Login>& login);
  int claiming_number() const;
  void make_stores(const config::Config& config);
  std::string load_mark();
  std::map<std::string, std::vector<std::string>> exchange_filters(
      const std::vector<config::BridgeOptions>& bridges);
  void make_shards(const config::Config& config, const std::string& mark);
  void load_everything(const config::Config& config);
  void give_up_settlements();
  std::uint64_t changes_mark();
  /// False: what the answer rests on was changed since `mark`; ask again.
  bool answer_login(unsigned shard, broker::ConnectionId connection, broker::AuthOutcome outcome,
                    std::uint64_t mark);
  /// Notes the change and posts `work` to every shard, as one step.
  void tell_shards(RecentChanges::Concerns concerns, const Shard::Work& work);
  void apply(const db::RegistryChange& change);
  void resync_registry();
  void refresh_ruled(const db::RegistryChange& change);
  void refresh_all_users();
  /// Their sessions get the grants that the registry gives now, and connections end that nobody could make
  /// any more by what they were made by. Throws db::StorageAway.
  void judge_again(const std::function<bool(const broker::Principal&)>& is_meant);
  void judge_again(const broker::SessionView& session);
  void tell_token_removed(const db::TokenRemoved& removed);
  void send_alert(const db::Alert& alert, const broker::MessageRecord& message, std::function<void()> done);
  std::chrono::milliseconds tell_alerts();
  std::chrono::milliseconds claim_due();
  std::chrono::milliseconds sweep();
  void tell_sys(SysTopics& topics);

  Authenticator& authenticator_;
  db::Pool& pool_;
  db::Pool load_pool_;  // of its own, so that log-ins waiting for the other one delay no delivery
  PairHandler pair_;
  AddressLimit& addresses_;
  Admission admission_;
  const BridgeLogins bridge_logins_;
  std::mutex changes_mutex_;  // noting a change and telling the shards; judging a log-in by it and letting in
  RecentChanges changes_;
  std::mutex registry_;  // loading a user and posting the record are one step
  std::mutex settlements_mutex_;
  std::uint64_t last_ticket_ = 0;
  std::map<std::uint64_t, std::function<void(broker::PublishSettled)>> settlements_;
  db::SweepCursor sweep_cursor_;
  WillHeir will_heir_;
  AlertTeller alerts_;

  std::unique_ptr<db::NodeLease> lease_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<db::OutboxStore> outbox_;
  std::unique_ptr<push::Dispatcher> dispatcher_;
  std::unique_ptr<db::CommitQueue> commit_queue_;
  WorkerPool login_workers_;
  WorkerPool load_workers_;
  std::unique_ptr<db::RegistryListener> registry_listener_;
  std::unique_ptr<Periodic> claims_;
  std::unique_ptr<Periodic> sweeps_;
  std::unique_ptr<Periodic> inheritance_;
  std::unique_ptr<Periodic> alert_rounds_;
  std::unique_ptr<Bridges> bridges_;
  std::unique_ptr<Periodic> sys_;
};

/// For db's readers of topic entries: a policy that cannot be read is logged.
void log_bad_policy(broker::EntryId entry, const std::string& what);

/// [server] shards, or as many as there are cores.
unsigned shard_count_of(const config::Config& config);

}  // namespace wake::gateway
