// What a principal may do has changed while it is here: connected, or with a session that waits for it
// (contract §6: revoking takes effect at once). What it may do at all is in access/.
#include <algorithm>

#include "broker-core/broker_state.hpp"
#include "broker-core/topic/topic_name.hpp"

namespace wake::broker {

namespace {
bool has_level_of(std::string_view filter, const std::vector<std::string>& ids) {
  const LevelRange levels(filter);
  return std::any_of(levels.begin(), levels.end(), [&ids](std::string_view level) {
    return std::find(ids.begin(), ids.end(), level) != ids.end();
  });
}
}  // namespace

/// Subscriptions that the session's grants do not cover any more end, as if it had unsubscribed.
void Broker::State::revoke_devices(Session& session, const std::vector<std::string>& device_ids) {
  std::vector<std::string> revoked;
  for (const auto& [filter, subscription] : session.subscriptions) {
    const auto shared = parse_shared(filter);
    const std::string_view meant = shared ? shared->filter : filter;
    if (has_level_of(meant, device_ids) && !session.grants.may_subscribe(meant)) revoked.push_back(filter);
  }
  for (const std::string& filter : revoked) unsubscribe_one(session, filter);
  revoke_messages(session);
}

void Broker::State::revoke_subscriptions(Session& session) {
  std::vector<std::string> revoked;
  for (const auto& [filter, subscription] : session.subscriptions) {
    const auto shared = parse_shared(filter);
    if (filter != "$wake/events" && !session.grants.may_subscribe(shared ? shared->filter : filter))
      revoked.push_back(filter);
  }
  for (const std::string& filter : revoked) unsubscribe_one(session, filter);
  revoke_messages(session);
}

/// A phone has those topic entries here that are permitted (index_entries).
bool Broker::State::may_still_receive(const Session& session, std::string_view topic) {
  if (session.grants.may_receive(topic)) return true;
  return session.phone && std::ranges::any_of(session.phone->entries, [&](const auto& entry) {
           return matches(entry->filter, topic);
         });
}

void Broker::State::revoke_messages(Session& session) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < session.deliveries.size(); ++i) {
    Delivery& owed = session.deliveries[i];
    // QoS 2 that has begun must end with its client, or its packet id would be taken for another's.
    const bool has_begun = owed.qos == Qos::ExactlyOnce && (owed.is_again || owed.packet_id != 0);
    const bool waits = owed.step == Delivery::Step::Queued || owed.step == Delivery::Step::Held;
    if (!owed.message || !waits || has_begun) continue;
    if (may_still_receive(session, owed.message->record->topic)) continue;
    if (owed.step == Delivery::Step::Held && i < session.sent) --session.held;
    ++session.inflight;  // give_up() ends it as if it had been sent
    give_up(session, owed);
    ++count;
  }
  if (!session.fresh.is_empty()) {  // it is in storage, too
    session.fresh.clear();
    session.is_catching_up = false;
  }
  tell_revoked(session, count);
  pump(session, moment);
}

void Broker::State::tell_revoked(const Session& session, std::size_t count) {
  if (count == 0) return;
  report(Incident::Level::Info, "queue.revoked",
         session.client_id.value + " may not read any more what " + std::to_string(count) +
             " messages in its queue are about: they are dropped");
}

void Broker::State::end_login(Session& session, bool is_gone, Now now) {
  const std::uint64_t key = session.key();
  if (is_gone) {
    session.grants = {};
    if (session.phone) forget_phone(session, now);
    session.expiry_s = 0;
  }
  if (Connection* connection = connection_of(session)) {
    fail(*connection, ReasonCode::AdministrativeAction, "its credentials were changed or revoked", now);
  }
  Session* left = is_gone ? session_of(key) : nullptr;
  if (!left || left->leaving) return;
  if (has_shared_backlog(*left)) return begin_leaving(*left);
  remove(*left, now);
}

std::vector<SessionView> Broker::sessions(const std::function<bool(const Principal&)>& is_meant) const {
  std::vector<SessionView> views;
  for (const auto& session : state_->sessions) {
    if (!session || !is_meant(session->principal)) continue;
    const Connection* connection = state_->connection_of(*session);
    views.push_back({session->client_id, session->principal, connection != nullptr,
                     connection ? connection->token_login : 0});
  }
  return views;
}

void Broker::apply_grants(const ClientId& client_id, Grants grants, Now now) {
  Session* session = state_->find_session(client_id.value);
  if (!session) return;
  session->grants = std::move(grants);
  state_->at(now).revoke_subscriptions(*session);
}

void Broker::end_logins(const Principal& principal, bool is_gone, Now now) {
  std::vector<std::uint64_t> keys;
  for (const auto& session : state_->sessions) {
    if (session && session->principal == principal) keys.push_back(session->key());
  }
  for (const std::uint64_t key : keys) {
    if (Session* session = state_->session_of(key)) state_->at(now).end_login(*session, is_gone, now);
  }
}

void Broker::revoke_login(std::int64_t token_login, Now now) {
  for (const auto& connection : state_->connections) {
    if (!connection || connection->phase != Connection::Phase::Active) continue;
    if (connection->token_login != token_login) continue;
    state_->at(now).fail(*connection, ReasonCode::AdministrativeAction, "its token was revoked", now);
  }
}

void Broker::end_former_login(const ClientId& client_id, std::uint64_t credential, Now now) {
  const Session* session = state_->find_session(client_id.value);
  Connection* connection = session ? state_->connection_of(*session) : nullptr;
  if (!connection || connection->credential == credential) return;
  state_->at(now).fail(*connection, ReasonCode::AdministrativeAction, "its credentials were changed", now);
}

}  // namespace wake::broker
