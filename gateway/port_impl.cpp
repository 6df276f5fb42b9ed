#include "gateway/port_impl.hpp"

#include <algorithm>

#include "broker-core/delivery/event_entry.hpp"
#include "broker-core/session/message_ids.hpp"
#include "db/principal_kind.hpp"
#include "db/registry_store.hpp"
#include "db/storage_away.hpp"
#include "gateway/clock.hpp"
#include "gateway/gathering.hpp"
#include "gateway/node.hpp"
#include "gateway/observe/log.hpp"
#include "gateway/observe/metrics.hpp"
#include "gateway/port_readiness.hpp"
#include "gateway/test_verdict.hpp"

namespace wake::gateway {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr seconds kSettleFor{30};  // a REST publish waits so long for its settlement

ClientView to_view(const broker::ConnectionView& connection) {
  ClientView view;
  view.client_id = connection.client_id.value;
  view.principal_kind = db::text_of(connection.principal.kind);
  view.principal_id = connection.principal.id;
  view.address = connection.listener.address;
  view.listener = connection.listener.protocol;
  view.protocol_version = static_cast<int>(connection.version);
  view.connected_at = connection.connected_at;
  return view;
}

/// As no shard makes them: with the number after the last one's.
broker::MessageId next_message_id(int node) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  static broker::MessageIds ids(static_cast<unsigned>(node), config::kMaxShards);
  return ids.next(read_clocks().utc);
}

/// POST …/phones/{id}/test: an alert past the topic cache and the outbox.
push::Notification make_test(const broker::PhoneRecord& phone, int node) {
  auto entry = std::make_shared<broker::EntryRecord>();
  entry->filter = broker::kEventTopic;
  entry->title = entry->push.title = "WakeMQ";
  entry->push.body = "This is a test notification.";
  auto message = std::make_shared<broker::MessageRecord>();
  message->id = next_message_id(node);
  message->topic = broker::kEventTopic;
  message->payload = R"({"type":"test"})";
  message->at = read_clocks().utc;
  message->expires_at = message->at + std::chrono::hours(1);
  push::Notification notification;
  notification.key = {message->id, phone.id};
  notification.expires_at = message->expires_at;
  notification.message = std::move(message);
  notification.entry = std::move(entry);
  notification.token = phone.token;
  notification.locale = phone.locale;
  notification.is_test = true;
  return notification;
}

broker::UserRecordPtr load_user(Node& node, broker::UserId user) {
  return node.pool().with([&](db::Connection& connection) { return db::load_user(connection, user); });
}

/// `change` posts something to every shard that ends in a call of its argument; returns after all those
/// calls.
void wait_applied(Node& node, const std::function<void(const std::function<void()>&)>& change) {
  const auto applied = std::make_shared<Gathering<bool>>();
  change([applied] { applied->add(true); });
  const std::size_t count = node.shards().size();
  if (applied->wait(count, kShardAnswers).size() < count) throw std::runtime_error("a shard does not answer");
}

}  // namespace

void PortImpl::set_waiting_for(std::string reason) {
  const std::lock_guard lock(mutex_);
  waiting_for_ = std::move(reason);
}

void PortImpl::attach(Node& node) {
  const std::lock_guard lock(mutex_);
  node_ = &node;
}

void PortImpl::set_stopping() {
  const std::lock_guard lock(mutex_);
  is_stopping_ = true;
}

Node* PortImpl::node() const {
  const std::lock_guard lock(mutex_);
  return node_;
}

Node& PortImpl::need_node() const {
  if (Node* const running = node()) return *running;
  throw db::StorageAway("the gateway is still starting");
}

void PortImpl::refresh_user(broker::UserId user) {
  Node& running = need_node();
  wait_applied(running, [&](const auto& applied) { running.refresh_user(user, applied); });
}

void PortImpl::end_logins(const broker::Principal& principal) {
  Node& running = need_node();
  wait_applied(running, [&](const auto& applied) { running.end_logins(principal, applied); });
}

void PortImpl::revoke_login(broker::UserId user, std::int64_t login) {
  Node& running = need_node();
  wait_applied(running, [&](const auto& applied) { running.revoke_login(user, login, applied); });
}

broker::MessageId PortImpl::make_message_id() { return next_message_id(need_node().number()); }

/// The settlement of a message that brings its id, and whether its publish is to begin.
std::pair<PortImpl::SettlementPtr, bool> PortImpl::join(broker::MessageId id) {
  const std::lock_guard lock(mutex_);
  const auto [found, is_new] = under_way_.try_emplace(id);
  if (is_new) found->second = std::make_shared<Settlement>();
  return {found->second, is_new};
}

void PortImpl::leave(broker::MessageId id) {
  const std::lock_guard lock(mutex_);
  under_way_.erase(id);
}

void PortImpl::begin_publish(Node& running, const broker::MessageRecord& message, std::uint64_t ticket) {
  const auto shards = running.shards();
  shards[ticket % shards.size()]->post(
      [message, ticket](broker::Broker& broker, broker::Now now) { broker.publish(message, ticket, now); });
}

/// Empty: not settled in time. It goes on then, and the next with its id waits for it.
std::vector<broker::PublishSettled> PortImpl::publish_as(Node& running,
                                                         const broker::MessageRecord& message) {
  const auto [settled, is_new] = join(message.id);
  if (is_new) {
    const auto on_settled = [this, settled = settled, id = message.id](broker::PublishSettled answer) {
      settled->add(answer);
      leave(id);
    };
    begin_publish(running, message, running.expect_settlement(on_settled));
  }
  return settled->wait(1, kSettleFor);
}

std::vector<broker::PublishSettled> PortImpl::publish_anew(Node& running,
                                                           const broker::MessageRecord& message) {
  const auto settled = std::make_shared<Settlement>();
  const std::uint64_t ticket =
      running.expect_settlement([settled](broker::PublishSettled answer) { settled->add(answer); });
  begin_publish(running, message, ticket);
  auto answers = settled->wait(1, kSettleFor);
  if (answers.empty()) running.forget_settlement(ticket);
  return answers;
}

PublishOutcome PortImpl::publish(broker::MessageRecord& message) {
  Node* const running = node();
  if (running == nullptr) return PublishOutcome::StorageAway;
  const auto answers =
      message.id.value != 0 ? publish_as(*running, message) : publish_anew(*running, message);
  if (answers.empty() || answers.front().reason == broker::ReasonCode::ServerShuttingDown) {
    return PublishOutcome::StorageAway;
  }
  message.id = answers.front().message_id;
  return broker::is_failure(answers.front().reason) ? PublishOutcome::QuotaExceeded : PublishOutcome::Settled;
}

void PortImpl::set_presence(const broker::ClientId& client_id, Presence presence) {
  const bool is_foreground = presence == Presence::Foreground;
  need_node().home_of(client_id).post([client_id, is_foreground](broker::Broker& broker, broker::Now now) {
    broker.set_presence(client_id, is_foreground, now);
  });
}

void PortImpl::acknowledged(broker::UserId user, const std::vector<broker::MessageId>& messages) {
  for (Shard* const shard : need_node().shards()) {
    shard->post([user, messages](broker::Broker& broker, broker::Now now) {
      broker.acknowledge_inbox(user, messages, now);
    });
  }
}

void PortImpl::send_event(const broker::ClientId& client_id, std::string payload) {
  need_node().home_of(client_id).post(
      [client_id, payload = std::move(payload)](broker::Broker& broker, broker::Now now) {
        if (broker.is_connected(client_id))
          broker.send_direct(client_id, std::string(broker::kEventTopic), payload, now);
      });
}

void PortImpl::test_push(broker::UserId user, broker::PhoneId phone_id,
                         std::function<void(const TestVerdict&)> done) {
  Node& running = need_node();
  const broker::UserRecordPtr record = load_user(running, user);
  const auto phone = std::ranges::find_if(record->phones,
                                          [&](const broker::PhoneRecord& one) { return one.id == phone_id; });
  if (phone == record->phones.end() || phone->token.token.empty()) {
    return done({"no_token", 0, "", "the phone has no push token; the app has to register again"});
  }
  running.dispatcher().test(make_test(*phone, running.number()),
                            [done = std::move(done), platform = phone->token.platform](
                                const push::TestResult& result) { done(to_verdict(result, platform)); });
}

std::vector<ClientView> PortImpl::clients() {
  const auto shards = need_node().shards();
  const auto gathering = std::make_shared<Gathering<std::vector<broker::ConnectionView>>>();
  for (Shard* const shard : shards) {
    shard->post([gathering](broker::Broker& broker, broker::Now) { gathering->add(broker.connections()); });
  }
  std::vector<ClientView> views;
  for (const auto& connections : gathering->wait(shards.size(), kShardAnswers)) {
    for (const broker::ConnectionView& connection : connections) views.push_back(to_view(connection));
  }
  std::ranges::sort(views, {}, &ClientView::client_id);
  return views;
}

bool PortImpl::kick(const broker::ClientId& client_id) {
  const auto kicked = std::make_shared<Gathering<bool>>();
  need_node().home_of(client_id).post([kicked, client_id](broker::Broker& broker, broker::Now now) {
    kicked->add(broker.kick(client_id, now));
  });
  const auto answers = kicked->wait(1, kShardAnswers);
  return !answers.empty() && answers.front();
}

Readiness PortImpl::readiness() {
  Node* running = nullptr;
  std::string waiting_for;
  bool is_stopping = false;
  {
    const std::lock_guard lock(mutex_);
    running = node_;
    waiting_for = waiting_for_;
    is_stopping = is_stopping_;
  }
  if (is_stopping) return {{{"gateway", false, "going down"}}};
  if (running == nullptr) {
    return {
        {{"postgresql", false, waiting_for}, {"listeners", false, "MQTT opens when PostgreSQL is there"}}};
  }
  return readiness_of(*running);
}

std::string PortImpl::metrics() {
  Node* const running = node();
  if (running == nullptr) return to_prometheus({});
  return to_prometheus(measure(*running));
}

}  // namespace wake::gateway
