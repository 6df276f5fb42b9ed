// The tables of a shard, and Broker's doors: each door is one line into a step, so that the steps can be read
// by subject.
#include "broker-core/broker.hpp"

#include <algorithm>

#include "broker-core/broker_state.hpp"

namespace wake::broker {

unsigned home_shard(std::string_view client_id, unsigned shard_count) {
  std::uint64_t hash = 14695981039346656037ull;  // FNV-1a, 64 bits
  for (const char c : client_id) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return static_cast<unsigned>((hash >> 32) % shard_count);
}

Broker::State::State(const Limits& limits_in, const DeliveryOptions& delivery_in, ShardIdentity identity_in)
    : limits(limits_in),
      delivery(delivery_in),
      identity(identity_in),
      tree(identity_in.seed),
      retained(identity_in.seed),
      message_ids(identity_in.node, identity_in.shard),
      mail(identity_in.shard_count) {}

Connection* Broker::State::find(ConnectionId id) {
  const std::uint32_t slot = slot_of(id);
  if (id.value == 0 || slot >= connections.size() || !connections[slot] || connections[slot]->id != id)
    return nullptr;
  return connections[slot]->phase == Connection::Phase::Free ? nullptr : connections[slot].get();
}

Session* Broker::State::find_session(std::string_view client_id) {
  const auto found = session_of_client.find(client_id);
  return found == session_of_client.end() ? nullptr : sessions[found->second].get();
}

Session* Broker::State::session_of(std::uint64_t key) {
  const auto slot = static_cast<std::uint32_t>(key);
  if (slot >= sessions.size() || !sessions[slot] || sessions[slot]->key() != key) return nullptr;
  return sessions[slot].get();
}

Session& Broker::State::make_session(const ClientId& client_id, const Principal& principal,
                                     std::uint32_t expiry_s) {
  std::uint32_t slot = static_cast<std::uint32_t>(sessions.size());
  if (free_sessions.empty()) {
    sessions.emplace_back();
  } else {
    slot = free_sessions.back();
    free_sessions.pop_back();
  }
  sessions[slot] = std::make_unique<Session>();
  Session& session = *sessions[slot];
  session.slot = slot;
  session.generation = next_generation++;
  session.client_id = client_id;
  session.principal = principal;
  session.expiry_s = expiry_s;
  session_of_client.emplace(session.client_id.value, slot);
  if (principal.kind == Principal::Kind::User) sessions_of_user[principal.id].push_back(slot);
  ++counters.sessions;
  return session;
}

void Broker::State::touch(Connection& connection) {
  if (connection.is_touched || connection.is_held) return;
  connection.is_touched = true;
  touched.push_back(connection.id);
}

void Broker::State::report(Incident::Level level, const char* event, std::string text) {
  effects.push_back(Incident{level, event, std::move(text)});
}

// ---------------------------------------------------------------------------------------------------------------------------

Broker::Broker(const Limits& limits, const DeliveryOptions& delivery, ShardIdentity identity,
               QuietTest is_quiet)
    : state_(std::make_unique<State>(limits, delivery, identity)) {
  state_->is_quiet = std::move(is_quiet);
}
Broker::~Broker() = default;

void Broker::load_session(SessionRecord record, std::uint32_t queued_messages, std::size_t queued_bytes,
                          Now now) {
  Session& session = state_->make_session(record.client_id, record.principal, record.expiry_s);
  state_->set_row(session, true);
  session.first_number = state_->identity.seed % Session::kPacketIds;
  session.has_stored_tail = queued_messages > 0;
  state_->set_owed(session, queued_messages, queued_bytes);
  session.ends_at = record.ends_at;
  session.doubtful_count = std::min<std::uint32_t>(queued_messages, state_->limits.max_inflight);
  session.doubtful_until =
      record.ends_at == kNever ? now.utc : record.ends_at - std::chrono::seconds(record.expiry_s);
  for (const PacketId id : record.receipts) session.received[id.value] = {.message = {}, .is_stored = true};
  for (const PacketId id : record.started) session.restored[id.value] = Session::kNotLoaded;
  for (SubscriptionRecord& subscription : record.subscriptions) {
    state_->add_subscription(session, subscription);
    session.subscriptions.emplace(subscription.filter, subscription);
  }
  if (session.ends_at != kNever) {
    state_->timers.arm(
        {now.steady + (session.ends_at - now.utc), Timer::Kind::SessionEnd, session.key(), {}});
  }
}

void Broker::expect_stored(const ClientId& client_id, const Principal& principal, Now now) {
  if (!state_->find_session(client_id.value)) {
    SessionRecord record;
    record.client_id = client_id;
    record.principal = principal;
    record.expiry_s = 0xFFFFFFFF;
    record.ends_at = kNever;
    load_session(std::move(record), 0, 0, now);
  }
  Session& session = *state_->find_session(client_id.value);
  if (!session.is_connected()) session.has_stored_tail = true;
}

void Broker::load_retained(MessageRecord message) { state_->on_retain_mail({false, std::move(message)}); }

void Broker::load_will(WillRecord will, Now now) {
  state_->at(now).load_will(
      std::make_unique<KeptWill>(KeptWill{.record = std::move(will), .is_restored = true}), now);
}

void Broker::apply_user(const UserRecordPtr& record, Now now) {
  const auto overlaid = state_->entry_switches.lay_over(record);
  if (overlaid.must_read_again) state_->effects.push_back(ReadUser{record->id});
  state_->at(now).apply_user(overlaid.record, now);
}

ConnectionId Broker::accept(ListenerFacts facts, Now now) {
  State& s = *state_;
  std::uint32_t slot = static_cast<std::uint32_t>(s.connections.size());
  if (s.free_connections.empty()) {
    s.connections.emplace_back();
  } else {
    slot = s.free_connections.back();
    s.free_connections.pop_back();
  }
  s.connections[slot] = std::make_unique<Connection>();
  Connection& connection = *s.connections[slot];
  connection.id = {(std::uint64_t{s.next_generation++} << 32) | slot};
  connection.phase = Connection::Phase::AwaitConnect;
  const SteadyTime accepted_at = facts.accepted_at == SteadyTime{} ? now.steady : facts.accepted_at;
  connection.listener = std::make_unique<ListenerFacts>(std::move(facts));
  connection.connected_at = now.utc;
  s.arm_connection(connection, accepted_at + s.limits.connect_timeout);
  ++s.counters.connections;
  return connection.id;
}

std::size_t Broker::on_bytes(ConnectionId connection, Bytes in, Now now) {
  return state_->at(now).on_bytes(connection, in, now);
}

void Broker::on_authenticated(ConnectionId id, AuthOutcome outcome, Now now) {
  Connection* connection = state_->find(id);
  if (!connection) return;
  const bool is_connecting = connection->phase == Connection::Phase::Authenticating;
  const bool is_asked_again = connection->phase == Connection::Phase::Active && connection->exchange &&
                              connection->exchange->turn == Exchange::Turn::Ours;
  if (is_connecting || is_asked_again) {
    state_->at(now).on_authenticated(*connection, std::move(outcome), now);
  }
}

void Broker::on_closed(ConnectionId id, Now now, const char* why) {
  Connection* connection = state_->find(id);
  if (!connection) return;
  if (connection->phase != Connection::Phase::Closing) state_->at(now).close(*connection, why, true, now);
  connection->phase = Connection::Phase::Free;
  const std::uint32_t slot = slot_of(id);
  state_->connections[slot].reset();
  state_->free_connections.push_back(slot);
  --state_->counters.connections;
}

Outbound& Broker::output(ConnectionId id) {
  static thread_local Outbound nobody;  // of a connection that is gone: always empty
  Connection* connection = state_->find(id);
  return connection ? connection->output : nobody;
}

void Broker::on_written(ConnectionId id, Now now) {
  Connection* connection = state_->find(id);
  if (!connection || connection->session == Connection::kNoSession) return;
  Session& session = *state_->sessions[connection->session];
  const bool tells_readiness = session.share_count > 0;
  if (session.has_more_to_send() || tells_readiness) state_->at(now).pump(session, now);
}

void Broker::on_queue_page(const ClientId& client_id, std::uint64_t ticket, QueuePage page, Now now) {
  Session* session = state_->find_session(client_id.value);
  if (session && session->load_ticket == ticket)
    state_->at(now).on_queue_page(*session, std::move(page), now);
}

void Broker::on_committed(std::uint64_t batch, Now now) {
  if (auto waiting = state_->ledger.answered(batch))
    state_->at(now).on_committed(std::move(*waiting), false, now);
}

void Broker::on_commit_failed(std::uint64_t batch, Now now) {
  if (auto waiting = state_->ledger.answered(batch))
    state_->at(now).on_committed(std::move(*waiting), true, now);
}

void Broker::on_claimed(std::vector<Notice> notices, Now now) {
  state_->at(now).on_claimed(std::move(notices), now);
}

void Broker::on_mail(unsigned from, std::vector<Mail> mail, Now now) {
  state_->at(now);
  for (Mail& one : mail) {
    if (auto* interest = std::get_if<InterestMail>(&one)) {
      state_->on_interest(from, *interest);
    } else if (const auto* share = std::get_if<ShareMail>(&one)) {
      state_->on_share_mail(from, *share);
    } else if (const auto* readiness = std::get_if<ReadinessMail>(&one)) {
      state_->shares.set_readiness({from, readiness->session}, readiness->readiness);
    } else if (auto* route = std::get_if<RouteMail>(&one)) {
      state_->on_route_mail(from, std::move(*route), now);
    } else if (auto* settled = std::get_if<SettledMail>(&one)) {
      state_->on_settled_mail(*settled);
    } else if (const auto* session = std::get_if<SessionMail>(&one)) {
      state_->count_session(session->principal, session->add);
    } else if (const auto* final = std::get_if<FinalMail>(&one)) {
      state_->release(final->message_id);
    } else {
      state_->on_retain_mail(std::get<RetainMail>(one).change);
    }
  }
}

void Broker::publish(MessageRecord message, std::uint64_t ticket, Now now) {
  state_->at(now).publish_backend(std::move(message), ticket, now);
}

void Broker::publish_sys(const std::vector<SysValue>& values, Now now) {
  state_->at(now).publish_sys(values, now);
}

void Broker::set_presence(const ClientId& client_id, bool is_foreground, Now now) {
  Session* session = state_->find_session(client_id.value);
  if (session && session->phone) state_->at(now).set_presence(*session, is_foreground, now);
}

void Broker::send_direct(const ClientId& client_id, std::string topic, std::string payload, Now now) {
  Session* session = state_->find_session(client_id.value);
  if (!session || (!session->is_connected() && !session->is_durable())) return;
  state_->at(now).send_direct(*session, std::move(topic), std::move(payload), now);
}

void Broker::send_alert(const ClientId& client_id, MessageRecord message, AlertId alert, std::uint64_t ticket,
                        Now now) {
  state_->at(now).send_alert(client_id, std::move(message), alert, ticket, now);
}

bool Broker::is_connected(const ClientId& client_id) const {
  const Session* session = state_->find_session(client_id.value);
  return session && session->is_connected();
}

void Broker::acknowledge_inbox(UserId user, const std::vector<MessageId>& messages, Now) {
  const auto found = state_->sessions_of_user.find(std::to_string(user.value));
  if (found == state_->sessions_of_user.end()) return;
  for (const std::uint32_t slot : found->second) {
    Session& session = *state_->sessions[slot];
    if (!session.phone) continue;
    for (const MessageId message : messages)
      state_->cancel_notice(session, message, "acknowledged over REST");
  }
}

bool Broker::kick(const ClientId& client_id, Now now) {
  Session* session = state_->find_session(client_id.value);
  Connection* connection = session ? state_->connection_of(*session) : nullptr;
  if (!connection) return false;
  state_->at(now).fail(*connection, ReasonCode::AdministrativeAction, "disconnected by an administrator",
                       now);
  return true;
}

std::vector<ConnectionView> Broker::connections() const {
  std::vector<ConnectionView> views;
  for (const auto& connection : state_->connections) {
    if (!connection || connection->session == Connection::kNoSession) continue;
    const Session& session = *state_->sessions[connection->session];
    views.push_back({session.client_id, session.principal, connection->version, *connection->listener,
                     connection->connected_at});
  }
  return views;
}

void Broker::shut_down(Now now) {
  state_->is_shutting_down = true;
  for (const auto& connection : state_->connections) {
    if (connection && connection->phase != Connection::Phase::Closing) {
      state_->at(now).fail(*connection, ReasonCode::ServerShuttingDown, "the gateway is shutting down", now);
    }
  }
}

void Broker::on_deadline(Now now) {
  State& s = state_->at(now);
  s.retained_slices = 0;
  s.on_commit_window(now);
  while (const auto timer = s.timers.pop_due(now.steady)) {
    if (timer->kind == Timer::Kind::Connection) {
      s.on_connection_timer({timer->key}, now);
      continue;
    }
    Session* session = s.session_of(timer->key);
    if (!session) continue;
    switch (timer->kind) {
      case Timer::Kind::SessionEnd:
        s.on_session_end(*session, now);
        break;
      case Timer::Kind::WillDelay:
        if (session->delayed_will && session->will_due <= now.steady) s.fire_will(*session, now);
        break;
      case Timer::Kind::HeldNotice:
        s.on_notice_timer(*session, timer->message, now);
        break;
      case Timer::Kind::RetainedSlice:
        s.on_retained_timer(*session, now);
        break;
      case Timer::Kind::Connection:
        break;
    }
  }
}

std::optional<SteadyTime> Broker::next_deadline() const {
  std::optional<SteadyTime> next = state_->timers.next();
  if (!state_->offered.is_empty() && (!next || state_->offered.front().due < *next))
    next = state_->offered.front().due;
  return next;
}

std::vector<ConnectionId> Broker::take_touched() {
  std::vector<ConnectionId> taken;
  taken.swap(state_->touched);
  for (const ConnectionId id : taken) {
    if (Connection* connection = state_->find(id)) connection->is_touched = false;
  }
  return taken;
}

Effects Broker::take_effects() { return std::exchange(state_->effects, {}); }
Persist Broker::take_persist() { return state_->ledger.take(); }
bool Broker::has_persist() const { return state_->ledger.has_open(); }
std::vector<Mail> Broker::take_mail(unsigned shard) { return std::exchange(state_->mail[shard], {}); }
const Counters& Broker::counters() const { return state_->counters; }

}  // namespace wake::broker
