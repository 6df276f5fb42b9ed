// Sessions beyond their connection: taking over, waiting, ending (v5 §4.1, §3.1.2.11.2).
#include <algorithm>

#include "broker-core/broker_state.hpp"
#include "broker-core/session/session_expiry.hpp"

namespace wake::broker {

namespace {

std::string key_of(const Principal& principal) {
  return static_cast<char>('0' + static_cast<int>(principal.kind)) + principal.id;
}
}  // namespace

void Broker::State::attach(Session& session, Connection& connection, Now now) {
  connection.session = session.slot;
  session.connection = connection.id;
  ++counters.clients_connected;
  session.ends_at = kNever;
  if (session.delayed_will && session.will_due <= now.steady) fire_will(session, now);
  drop_will(std::move(session.delayed_will));  // v5 [MQTT-3.1.3-9]: back before the delay has passed
  if (session.has_storage()) store_row(session);
  if (session.phone) phone_returned(session, now);
  resume(session);
  revoke_messages(session);
}

void Broker::State::detach(Session& session, bool fires_will, Now now) {
  session.connection = {};
  --counters.clients_connected;
  session.retained_jobs.clear();
  if (session.phone) phone_went_offline(session, now);
  const bool has_will = fires_will && session.delayed_will;
  if (!session.is_durable()) {
    if (has_will) fire_will(session, now);
    if (has_shared_backlog(session)) return begin_leaving(session);
    return remove(session, now);
  }
  forget_unsent(session);
  tell_readiness(session);
  if (session.expiry_s != kNeverExpires) {
    session.ends_at = now.utc + std::chrono::seconds(session.expiry_s);
    timers.arm(
        {now.steady + std::chrono::seconds(session.expiry_s), Timer::Kind::SessionEnd, session.key(), {}});
  }
  store_row(session);
  if (has_will) delay_will(session, now);
}

/// Clean start: nothing of before remains, but the name (and, of a phone, its topic entries).
void Broker::State::purge(Session& session, Now now) {
  if (session.delayed_will) fire_will(session, now);  // the session ends here, so the will does not wait
  for (const auto& [filter, subscription] : session.subscriptions) drop_subscription(session, filter);
  session.subscriptions.clear();
  hand_over(take_all_shared(session), now);
  for (std::size_t i = 0; i < session.deliveries.size(); ++i) {
    const Delivery& held = session.deliveries[i];
    if (held.message && held.is_owed) one_answered(held.message->record->id, false);
  }
  session.first_number += session.deliveries.size();
  session.deliveries.clear();
  session.fresh.clear();
  session.removals.clear();
  session.handing.clear();
  session.left_groups.clear();
  session.doubtful_count = 0;
  session.received.clear();
  session.restored.clear();
  session.sent = session.inflight = session.held = 0;
  set_owed(session, 0, 0);
  session.has_stored_tail = session.is_catching_up = false;
  session.load_ticket = 0;
  session.is_full = false;
  if (!session.has_row) return;
  set_row(session, false);
  Persist& open = ledger.open();
  const auto is_own = [&](const auto& row) { return row.client_id == session.client_id; };
  std::erase_if(open.queue, is_own);
  std::erase_if(open.started, is_own);
  std::erase_if(open.receipts, is_own);
  SessionChange& change = ledger.session(session.client_id);
  change = SessionChange{};
  change.purge = true;
}

void Broker::State::remove(Session& session, Now now) {
  purge(session, now);
  if (session.principal.kind == Principal::Kind::User) {
    auto& slots = sessions_of_user[session.principal.id];
    std::erase(slots, session.slot);
    if (slots.empty()) sessions_of_user.erase(session.principal.id);
  }
  session_of_client.erase(session.client_id.value);
  free_sessions.push_back(session.slot);
  --counters.sessions;
  sessions[session.slot].reset();
}

void Broker::State::set_row(Session& session, bool has_row) {
  if (session.has_row == has_row) return;
  session.has_row = has_row;
  const std::string principal = key_of(session.principal);
  count_session(principal, has_row);
  for (unsigned shard = 0; shard < identity.shard_count; ++shard) {
    if (shard != identity.shard) mail[shard].emplace_back(SessionMail{principal, has_row});
  }
}

void Broker::State::count_session(const std::string& principal, bool add) {
  if (add) {
    ++sessions_of_principal[principal];
    return;
  }
  const auto found = sessions_of_principal.find(principal);
  if (found != sessions_of_principal.end() && --found->second == 0) sessions_of_principal.erase(found);
}

bool Broker::State::has_session_left(const Principal& principal) const {
  const bool is_anonymous = principal.kind == Principal::Kind::Anonymous;  // all of them are one principal
  const std::uint32_t most = is_anonymous ? limits.max_anonymous_sessions : limits.max_sessions_per_principal;
  const auto found = sessions_of_principal.find(key_of(principal));
  return (found == sessions_of_principal.end() ? 0 : found->second) < most;
}

std::uint32_t Broker::State::granted_expiry(std::uint32_t asked_s) const {
  const auto longest_s = static_cast<std::uint32_t>(limits.max_session_expiry.count());
  return longest_s == 0 ? asked_s : std::min(asked_s, longest_s);
}

void Broker::State::store_row(Session& session) {
  set_row(session, true);
  SessionChange& change = ledger.session(session.client_id);
  change.store = true;
  change.row.client_id = session.client_id;
  change.row.principal = session.principal;
  change.row.expiry_s = session.phone ? kNeverExpires : session.expiry_s;
  change.row.ends_at = session.ends_at;
}

void Broker::State::on_session_end(Session& session, Now now) {
  if (session.leaving) return end_leaving(session, now);
  if (session.is_connected() || session.phone || session.ends_at == kNever) return;
  if (session.ends_at > now.utc) {
    return timers.arm({now.steady + (session.ends_at - now.utc), Timer::Kind::SessionEnd, session.key(), {}});
  }
  ++counters.sessions_expired;
  if (has_shared_backlog(session)) return begin_leaving(session);
  remove(session, now);
}

}  // namespace wake::broker
