// A whole gateway without a socket, a thread or a clock: shards, storage, dispatcher and clients as values,
// driven step by step. Storage commits when the test says so; a crash forgets everything that was not
// committed. Real packets go both ways.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker-core/broker.hpp"
#include "broker-core/packet/packet.hpp"
#include "tests/support/simulated_client.hpp"
#include "tests/support/simulated_storage.hpp"

namespace wake::test {

using namespace std::chrono_literals;
using namespace wake::broker;

class World {
 public:
  explicit World(unsigned shard_count = 1, Limits limits_in = {}, DeliveryOptions delivery_in = {})
      : limits(limits_in), delivery(delivery_in), count_(shard_count) {
    now.steady = SteadyTime(1000h);
    now.utc = UtcTime(std::chrono::sys_days{std::chrono::year{2026} / 11 / 21});
    boot();
  }

  Limits limits;
  DeliveryOptions delivery;
  Now now;
  Storage storage;
  bool commits_by_itself = true;                                   // else commit()
  bool storage_refuses = false;                                    // whatever it is given
  std::function<AuthOutcome(const Authenticate&)> answers_method;  // enhanced authentication
  bool answers_pages = true;                                       // else answer_page()
  bool judges_wills = true;                                        // else judge_wills()
  std::vector<Notice> notified;  // handed to the dispatcher, each at most once from memory
  std::vector<CancelNotice> cancelled;
  std::vector<PhoneId> recalled;
  std::vector<UserId> asked_users;  // to be read once more
  std::vector<PublishSettled> settled;
  std::vector<PairRequest> pair_requests;
  std::vector<std::string> incidents;
  AuthOutcome::Kind verdict = AuthOutcome::Kind::Allowed;  // of whoever asks to connect
  std::map<std::string, UserRecordPtr> users;  // by user name; a client whose username is known acts for it
  std::map<std::string, std::string> username_of;  // client id -> user name; absent: anonymous superuser
  std::map<std::string, AuthOutcome> outcome_of;   // client id -> how it is let in, before the two above

  unsigned shard_count() const { return count_; }
  Broker& shard(unsigned k) { return *brokers_[k]; }
  Broker& home_of(const std::string& client_id) { return *brokers_[home_shard(client_id, count_)]; }
  Client& client(const std::string& id) {
    auto& slot = clients_[id];
    if (!slot) {
      slot = std::make_unique<Client>();
      slot->id = id;
    }
    return *slot;
  }
  Outbound& output(const Client& c) { return brokers_[c.shard]->output(c.connection); }
  std::size_t output_bytes(const Client& c) { return output(c).size(); }
  /// The connection that the last takeover ended.
  const Client& taken_over() const { return *ghosts_.back(); }

  using ConnectOptions = test::ConnectOptions;
  /// Opens a socket on some shard and sends CONNECT.
  Client& connect(const std::string& id, ConnectOptions options) {
    Client& c = client(id);
    open(c, options.version, options.accepted_by);
    Connect packet{.version = options.version,
                   .clean_start = options.clean,
                   .keep_alive_s = options.keep_alive_s,
                   .client_id = c.id,
                   .will = options.will,
                   .username = {},
                   .password = {},
                   .properties = options.properties};
    if (options.expiry_s) packet.properties.session_expiry_s = options.expiry_s;
    write(packet, options.version, c.to_broker);
    settle();
    return c;
  }
  Client& connect(const std::string& id) { return connect(id, ConnectOptions{}); }
  void open(Client& c, Version version, unsigned shard_index) {
    if (c.is_connected) {  // the old socket lives on by itself until the broker closes it
      ghosts_.push_back(std::make_unique<Client>(c));
      ghosts_.back()->heir = &c;
      by_connection_[{c.shard, c.connection.value}] = ghosts_.back().get();
    }
    c.version = version;
    c.is_connected = true;
    c.connack.reset();
    c.disconnect_reason.reset();
    c.to_broker.clear();
    c.from_broker.clear();
    c.aliases.clear();
    c.auths.clear();
    c.shard = shard_index % count_;
    c.connection = brokers_[c.shard]->accept({}, now);
    by_connection_[{c.shard, c.connection.value}] = &c;
  }
  void send_bytes(Client& c, const std::vector<std::byte>& bytes) {
    c.to_broker.insert(c.to_broker.end(), bytes.begin(), bytes.end());
    settle();
  }
  template <class P>
  void send(Client& c, const P& packet) {
    write(packet, c.version, c.to_broker);
    settle();
  }
  void subscribe(Client& c, const std::string& filter, Qos qos) {
    Subscribe packet{.packet_id = {77},
                     .requests = {{.filter = filter, .qos = qos}},
                     .subscription_id = 0,
                     .user_properties = {}};
    send(c, packet);
  }
  void publish(Client& c, const std::string& topic, const std::string& payload, Qos qos,
               std::uint16_t packet_id = 1, bool retain = false, bool dup = false) {
    Publish packet{.dup = dup,
                   .qos = qos,
                   .retain = retain,
                   .topic = topic,
                   .packet_id = {packet_id},
                   .properties = {},
                   .payload = as_bytes(payload)};
    if (qos == Qos::AtMostOnce) packet.packet_id = {0};
    send(c, packet);
  }
  void ack(Client& c, std::uint16_t packet_id) {
    send(c, Ack{PacketType::Puback, {packet_id}, ReasonCode::Success, {}, {}});
  }
  /// The socket dies without a DISCONNECT.
  void drop(Client& c) {
    if (!c.is_connected) return;
    forget(c);
    brokers_[c.shard]->on_closed(c.connection, now);
    settle();
  }
  void disconnect(Client& c) {
    send(c, Disconnect{});
    drop(c);
  }

  void advance(Duration by) {
    const SteadyTime until = now.steady + by;
    for (;;) {
      std::optional<SteadyTime> next;
      for (auto& broker : brokers_) {
        const auto due = broker->next_deadline();
        if (due && (!next || *due < *next)) next = due;
      }
      if (!next || *next > until) break;
      step_clock(std::max(*next, now.steady));
      for (auto& broker : brokers_) broker->on_deadline(now);
      settle();
    }
    step_clock(until);
  }

  /// Applies and answers the oldest `batches` that were submitted.
  void commit(std::size_t batches = 1000000) {
    for (; batches > 0 && !submitted_.empty(); --batches) {
      answer_oldest();
      collect();
    }
    settle();
  }
  std::size_t uncommitted() const { return submitted_.size(); }
  void judge_wills() {
    answer_wills();
    settle();
  }
  std::size_t unjudged_wills() const { return judged_.size(); }
  void answer_pages() {
    answer_loads();
    settle();
  }
  /// kill -9: `applied` of the submitted batches reached the disk, no answer reached us.
  void crash(std::size_t applied) {
    for (auto& [shard_index, persist] : submitted_) {
      if (applied-- == 0) break;
      storage.apply(persist);
    }
    submitted_.clear();
    loads_.clear();
    judged_.clear();
    for (auto& [id, c] : clients_) c->is_connected = false;
    by_connection_.clear();
    step_clock(now.steady + 100ms);  // no process is back sooner, and message ids rest on that
    boot();
  }
  /// What the sweep does after a restart: pending rows that are due go to their phone's shard.
  void claim_outbox() {
    for (const Notice& notice : storage.claim(now.utc)) {
      for (auto& broker : brokers_) broker->on_claimed({notice}, now);
    }
    settle();
  }
  void apply_user(const UserRecordPtr& user) {
    users[user->username] = user;
    for (const auto& entry : user->entries) storage.entries[entry->id.value] = entry;
    for (const PhoneRecord& phone : user->phones) username_of[phone.client_id.value] = user->username;
    for (auto& broker : brokers_) broker->apply_user(user, now);
    settle();
  }

  /// Carries out everything until nothing moves.
  void settle() {
    do {
      collect();
      while (commits_by_itself && !submitted_.empty()) answer_oldest();
    } while (move());
  }

 private:
  void step_clock(SteadyTime to) {
    now.utc += std::chrono::duration_cast<std::chrono::microseconds>(to - now.steady);
    now.steady = to;
  }
  void boot() {
    brokers_.clear();
    storage.forget_provisional();
    for (unsigned k = 0; k < count_; ++k) {
      brokers_.push_back(std::make_unique<Broker>(limits, delivery, ShardIdentity{k, count_, 0}));
    }
    for (auto& [id, record] : storage.sessions) {
      if (record.ends_at == kNever && record.expiry_s != 0xFFFFFFFF)
        record.ends_at = now.utc + std::chrono::seconds(record.expiry_s);
      home_of(id).load_session(storage.load(id), static_cast<std::uint32_t>(storage.queue[id].size()), 0,
                               now);
    }
    for (auto& broker : brokers_) {
      for (const auto& [topic, message] : storage.retained) broker->load_retained(message);
      for (const auto& [name, user] : users) broker->apply_user(user, now);
    }
    for (auto& [id, will] : storage.wills) {
      if (will.due_at == kNever && will.delay_s > 0)
        will.due_at = now.utc + std::chrono::seconds(will.delay_s);
      home_of(will.client_id.value).load_will(will, now);
    }
    settle();
  }
  void answer_oldest() {
    const auto [shard_index, persist] = std::move(submitted_.front());
    submitted_.pop_front();
    if (storage_refuses) return brokers_[shard_index]->on_commit_failed(persist.batch, now);
    storage.apply(persist);
    brokers_[shard_index]->on_committed(persist.batch, now);
  }
  void forget(Client& c) {
    c.is_connected = false;
    c.to_broker.clear();
    by_connection_.erase({c.shard, c.connection.value});
  }
  void collect() {
    for (unsigned k = 0; k < count_; ++k) {
      if (brokers_[k]->has_persist()) submitted_.emplace_back(k, brokers_[k]->take_persist());
    }
  }
  /// One round; true when something happened.
  bool move() {
    bool moved = false;
    for (unsigned k = 0; k < count_; ++k) {
      for (unsigned to = 0; to < count_; ++to) {
        auto mail = brokers_[k]->take_mail(to);
        if (mail.empty()) continue;
        brokers_[to]->on_mail(k, std::move(mail), now);
        moved = true;
      }
    }
    for (auto& [id, c] : clients_) moved |= feed(*c);
    for (unsigned k = 0; k < count_; ++k) {
      for (const ConnectionId id : brokers_[k]->take_touched()) moved |= deliver(k, id);
      for (Effect& effect : brokers_[k]->take_effects()) {
        carry_out(k, effect);
        moved = true;
      }
    }
    return moved || (commits_by_itself && !submitted_.empty()) || has_persist();
  }
  bool has_persist() const {
    for (const auto& broker : brokers_) {
      if (broker->has_persist()) return true;
    }
    return false;
  }
  bool feed(Client& c) {
    if (!c.is_connected || c.to_broker.empty()) return false;
    const std::size_t taken = brokers_[c.shard]->on_bytes(c.connection, c.to_broker, now);
    c.to_broker.erase(c.to_broker.begin(), c.to_broker.begin() + static_cast<std::ptrdiff_t>(taken));
    return taken > 0;
  }
  bool deliver(unsigned k, ConnectionId id) {
    Outbound& output = brokers_[k]->output(id);
    const auto found = by_connection_.find({k, id.value});
    if (found != by_connection_.end() && !found->second->is_reading) return false;
    const bool had = !output.is_empty();
    while (!output.is_empty()) {
      Bytes pieces[8];
      const std::size_t count = output.gather(pieces, 8);
      std::size_t bytes = 0;
      for (std::size_t i = 0; i < count; ++i) {
        bytes += pieces[i].size();
        if (found == by_connection_.end()) continue;
        auto& in = found->second->from_broker;
        in.insert(in.end(), pieces[i].begin(), pieces[i].end());
      }
      output.consume(bytes);
    }
    if (found != by_connection_.end()) found->second->read();
    brokers_[k]->on_written(id, now);
    return had;
  }
  void carry_out(unsigned k, Effect& effect) {
    if (auto* close = std::get_if<Close>(&effect)) {
      deliver(k, close->connection);
      const auto found = by_connection_.find({k, close->connection.value});
      if (found != by_connection_.end()) forget(*found->second);
      brokers_[k]->on_closed(close->connection, now);
    } else if (auto* handover = std::get_if<Handover>(&effect)) {
      const auto node = by_connection_.extract({k, handover->connection.value});
      Client& c = *node.mapped();
      c.shard = handover->shard;
      c.connection = brokers_[c.shard]->accept({}, now);
      by_connection_[{c.shard, c.connection.value}] = &c;
    } else if (auto* question = std::get_if<Authenticate>(&effect)) {
      const bool has_method = !question->method.empty() && answers_method;
      brokers_[k]->on_authenticated(
          question->connection, has_method ? answers_method(*question) : who(question->client_id.value), now);
    } else if (auto* judge = std::get_if<JudgeWill>(&effect)) {
      judged_.emplace_back(k, *judge);
      if (judges_wills) answer_wills();
    } else if (auto* load = std::get_if<LoadQueue>(&effect)) {
      loads_.emplace_back(k, *load);
      if (answers_pages) answer_loads();
    } else if (auto* notify = std::get_if<Notify>(&effect)) {
      auto found = storage.outbox.find({notify->notice.message_id, notify->notice.phone_id});
      if (found != storage.outbox.end() && found->second.state == "pending") {
        found->second.state = "sent";
        notified.push_back(notify->notice);
      }
    } else if (auto* cancel = std::get_if<CancelNotice>(&effect)) {
      cancelled.push_back(*cancel);
    } else if (auto* recall = std::get_if<RecallNotices>(&effect)) {
      recalled.push_back(recall->phone_id);
    } else if (auto* read = std::get_if<ReadUser>(&effect)) {
      asked_users.push_back(read->user);
    } else if (auto* done = std::get_if<PublishSettled>(&effect)) {
      settled.push_back(*done);
    } else if (auto* pair = std::get_if<PairRequest>(&effect)) {
      pair_requests.push_back(*pair);
    } else if (auto* incident = std::get_if<Incident>(&effect)) {
      incidents.emplace_back(incident->event);
    }
  }
  void answer_wills() {
    for (auto& [k, judge] : std::exchange(judged_, {})) {
      const AuthOutcome outcome = who(judge.client_id.value);
      const bool is_here = outcome.kind == AuthOutcome::Kind::Allowed;
      brokers_[k]->on_will_judged(judge.client_id, judge.will,
                                  is_here ? std::optional(outcome.grants) : std::nullopt, now);
    }
  }
  void answer_loads() {
    auto loads = std::exchange(loads_, {});
    for (auto& [k, load] : loads)
      brokers_[k]->on_queue_page(load.client_id, load.ticket, storage.page(load), now);
  }
  AuthOutcome who(const std::string& client_id) const {
    if (const auto found = outcome_of.find(client_id); found != outcome_of.end()) return found->second;
    AuthOutcome outcome{.kind = verdict, .principal = {}, .grants = {}};
    const auto found = username_of.find(client_id);
    if (found == username_of.end()) {
      outcome.grants.is_superuser = outcome.grants.may_see_sys = true;
      return outcome;
    }
    const UserRecord& user = *users.at(found->second);
    outcome.principal = {Principal::Kind::User, std::to_string(user.id.value), user.username};
    outcome.grants.device_ids = user.device_ids;
    return outcome;
  }

  unsigned count_;
  std::vector<std::unique_ptr<Broker>> brokers_;
  std::map<std::string, std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Client>> ghosts_;
  std::map<std::pair<unsigned, std::uint64_t>, Client*> by_connection_;
  std::deque<std::pair<unsigned, Persist>> submitted_;
  std::vector<std::pair<unsigned, LoadQueue>> loads_;
  std::vector<std::pair<unsigned, JudgeWill>> judged_;
};

}  // namespace wake::test
