// The will (v5 §3.1.2.5, v3.1.1 §3.1.2.5): kept from CONNECT on, published when its client is gone without a
// word, exactly once, whatever is restarted.
//
// Durable. The will's row is committed before the CONNACK leaves: who is told that it is connected has its
// will. Until then the connection is served as any other, but nothing is written to it (is_held), and should
// it end, there was no connection whose will that could be. Clients without a will wait for nothing.
//
// Once. The row goes in the commit that brings the message to those who are owed it; with receivers on
// several shards in the one that makes it final, as for QoS 2 (broker_qos2.cpp). So after a kill there is
// either the row, and nobody has the message on disk, or the message. What is not owed durably, QoS 0, may
// have been sent just before the kill and is sent again.
//
// After a restart. Wills of clients that were connected are due after their delay, counted from the start;
// those that waited keep their moment; at once where the session is gone. Who owed them has no grants in
// memory yet, so the shell is asked first (JudgeWill), a few at a time, so that a million of them neither
// stalls the shard nor floods storage. A client that comes back before its turn is let in behind its will.
//
// Of another gateway that is gone (gateway/will_heir): the same, while this one runs. A client that is
// connected here by then is not mourned: said now, "it is gone" would come after what it said since.
//
// Bounded by: one for each connection, and for each session whose delay runs; 2 x 65535 bytes and properties
// within max_packet; connections and sessions are limited, and the rows on their way count in max_unstored.
#include <algorithm>

#include "broker-core/broker_state.hpp"

namespace wake::broker {

namespace {
constexpr std::uint32_t kMaxAsked = 64;  // restored wills of a shard whose verdict is awaited
}

// ---- with the connection

void Broker::State::hold_for_will(Connection& connection, const Session& session) {
  WillRecord& will = connection.will->record;
  will.id = message_ids.next(moment.utc);
  will.node = identity.node;
  will.client_id = session.client_id;
  will.principal = session.principal;
  ledger.store_will(will);
  ledger.waiting().accepted.push_back(connection.id);
  connection.is_held = true;
}

void Broker::State::release_held(Connection& connection, bool is_failed, Now now) {
  if (!connection.is_held) return;
  if (is_failed) return fail(connection, ReasonCode::ServerUnavailable, "its will cannot be stored", now);
  connection.is_held = false;
  arm_end(connection, now.steady);
  touch(connection);
  resume_input(connection);
}

void Broker::State::refuse_held(Connection& connection, ReasonCode reason, const std::string& why) {
  connection.is_held = false;
  connection.output.clear();
  drop_will(std::move(connection.will));
  refuse_connect(connection, reason, why);
}

void Broker::State::end_will(Connection& connection, Session& session, bool fires_will) {
  if (is_shutting_down && !connection.is_held) return connection.will.reset();  // its row stays
  if (connection.is_held) {
    connection.is_held = false;
    connection.output.clear();
    fires_will = false;
  }
  if (!fires_will) return drop_will(std::move(connection.will));
  session.delayed_will = std::move(connection.will);
}

void Broker::State::drop_will(std::unique_ptr<KeptWill> will) {
  if (will) ledger.open().wills_gone.push_back(will->record.id);
}

void Broker::State::delay_will(Session& session, Now now) {
  WillRecord& will = session.delayed_will->record;
  if (will.delay_s == 0) return fire_will(session, now);
  const std::chrono::seconds delay(will.delay_s);
  will.due_at = now.utc + delay;
  ledger.open().wills_due.push_back({will.id, will.due_at});
  session.will_due = now.steady + delay;
  timers.arm({session.will_due, Timer::Kind::WillDelay, session.key(), {}});
}

// ---- its publication

void Broker::State::fire_will(Session& session, Now now) {
  std::unique_ptr<KeptWill> will = std::move(session.delayed_will);
  if (will->is_restored) return judge_later(std::move(will));
  publish_will(*will, session.grants, now);
}

void Broker::State::publish_will(const KeptWill& will, const Grants& grants, Now now) {
  if (is_shutting_down) return;  // its row stays
  const WillRecord& record = will.record;
  if (!grants.may_publish(record.message.topic)) {
    ++counters.publishes_denied;
    ledger.open().wills_gone.push_back(record.id);
    return report(Incident::Level::Info, "will.denied",
                  record.client_id.value + " lost the permission to publish its will");
  }
  Routed routed;
  routed.topic = record.message.topic;
  routed.payload = as_bytes(record.message.payload);
  routed.properties = record.message.properties;
  routed.qos = record.message.qos;
  routed.retain = record.message.retain;
  routed.publisher = record.client_id.value;
  routed.id = message_ids.next(now.utc);
  routed.at = now.utc;
  routed.expires_at = expiry_of(record.message_expiry_s, now);
  routed.waiter.kind = Waiter::Kind::Will;
  routed.will = record.id;
  publish(routed, now);
}

void Broker::State::keep_row_of_will(Routed& routed) {
  if (!routed.is_provisional) return ledger.open().wills_gone.push_back(routed.will);
  Provisional& own = provisional[routed.id];
  own.shards = interested;
  own.will = routed.will;
}

// ---- of before a restart

void Broker::State::load_will(std::unique_ptr<KeptWill> will, Now now) {
  const UtcTime due_at = will->record.due_at;
  Session* session = find_session(will->record.client_id.value);
  if (session && session->is_connected()) return drop_will(std::move(will));  // left elsewhere, and back here
  const bool waits = session && session->has_row && due_at != kNever && due_at > now.utc;
  if (!waits) return judge_later(std::move(will));
  // Two of one client: the older was being published when the younger was kept.
  if (session->delayed_will) judge_later(std::move(session->delayed_will));
  session->delayed_will = std::move(will);
  session->will_due = now.steady + (due_at - now.utc);
  timers.arm({session->will_due, Timer::Kind::WillDelay, session->key(), {}});
}

void Broker::State::judge_later(std::unique_ptr<KeptWill> will) {
  const WillRecord& record = will->record;
  unasked_wills.push_back({record.client_id, record.id});
  due_wills[record.client_id.value].push_back(std::move(will));
  ask_for_wills();
}

void Broker::State::ask_for_wills() {
  while (!unasked_wills.is_empty() && asked_will_count < kMaxAsked &&
         ledger.bytes_waiting() < limits.max_unstored_bytes / 4) {
    const WillName name = std::move(unasked_wills.front());
    unasked_wills.pop_front();
    const auto found = due_wills.find(name.client_id.value);
    if (found == due_wills.end()) continue;  // its client came first
    const auto is_it = [&](const auto& will) { return will->record.id == name.will; };
    const auto will = std::ranges::find_if(found->second, is_it);
    if (will == found->second.end()) continue;
    effects.push_back(JudgeWill{name.will, name.client_id, (*will)->record.principal});
    ++asked_will_count;
  }
}

std::unique_ptr<KeptWill> Broker::State::take_due_will(const std::string& client_id, MessageId will) {
  std::unique_ptr<KeptWill> taken;
  const auto found = due_wills.find(client_id);
  if (found == due_wills.end()) return taken;
  const auto is_it = [&](const auto& one) { return one->record.id == will; };
  const auto place = std::ranges::find_if(found->second, is_it);
  if (place == found->second.end()) return taken;
  taken = std::move(*place);
  found->second.erase(place);
  if (found->second.empty()) due_wills.erase(found);
  return taken;
}

void Broker::State::settle_restored_wills(const ClientId& client_id, const AuthOutcome& outcome, Now now) {
  Session* session = find_session(client_id.value);
  if (session && session->delayed_will && session->delayed_will->is_restored) {
    session->grants = outcome.grants;
    session->delayed_will->is_restored = false;
  }
  const auto found = due_wills.find(client_id.value);
  if (found == due_wills.end()) return;
  std::vector<MessageId> its_own;
  for (const auto& will : found->second) {
    if (will->record.principal == outcome.principal) its_own.push_back(will->record.id);
  }
  for (const MessageId id : its_own) publish_will(*take_due_will(client_id.value, id), outcome.grants, now);
}

void Broker::on_will_judged(const ClientId& client_id, MessageId id, const std::optional<Grants>& grants,
                            Now now) {
  State& s = state_->at(now);
  --s.asked_will_count;
  const std::unique_ptr<KeptWill> will = s.take_due_will(client_id.value, id);
  if (will) s.publish_will(*will, grants.value_or(Grants{}), now);
  s.ask_for_wills();
}

}  // namespace wake::broker
