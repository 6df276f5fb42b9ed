// The end of a session that is owed messages of shared subscriptions and has them in storage: they are read
// page by page and go to other members, and only when each is settled there the session ends. So whatever is
// killed in between, a message is in one place at least. Who connects under the session's client id meanwhile
// waits, at most for connect_timeout.
#include <algorithm>

#include "broker-core/broker_state.hpp"
#include "broker-core/topic/topic_name.hpp"

namespace wake::broker {

namespace {
constexpr std::size_t kPage = 200;  // rows read at a time
}

bool Broker::State::has_shared_backlog(const Session& session) {
  return session.share_count > 0 && session.has_row && session.has_stored_tail;
}

void Broker::State::begin_leaving(Session& session) {
  session.leaving = std::make_unique<Leaving>();
  session.leaving->names = groups_of(session);
  for (const ShareName& name : session.leaving->names) {
    leave(session, *name);
    session.subscriptions.erase(*name);
  }
  load_leaving(session);
}

void Broker::State::load_leaving(Session& session) {
  LoadQueue load{session.client_id, next_ticket++, session.leaving->handed, kPage};
  for (std::size_t i = 0; i < session.deliveries.size(); ++i) {
    const Delivery& held = session.deliveries[i];
    if (held.message) load.except.push_back(held.message->record->id);
  }
  for (std::size_t i = 0; i < session.removals.size(); ++i) load.except.push_back(session.removals[i].second);
  session.load_ticket = load.ticket;
  effects.push_back(std::move(load));
}

void Broker::State::on_leaving_page(Session& session, QueuePage page, Now now) {
  Leaving& leaving = *session.leaving;
  for (QueuedMessage& row : page.messages) {
    leaving.handed.push_back(row.message.id);
    if (row.packet_id.value != 0) continue;  // QoS 2 and begun: v5 [MQTT-4.8.2-5]
    const ShareName name = group_for(leaving.names, row.message.topic);
    auto turn = name ? shares.pick(*name) : std::nullopt;
    if (!turn) continue;  // its own, or the last member's: ends with it
    ++leaving.outstanding_count;
    const auto record = std::make_shared<const MessageRecord>(std::move(row.message));
    Routed routed = Routed::of(record, {Waiter::Kind::Leaver, {}, session.key()});
    give_turn(std::move(*turn), routed, now);
    finish_routing(routed, true);
  }
  leaving.has_read_all = page.is_last;
  if (!page.is_last) return load_leaving(session);
  end_leaving(session, now);
}

void Broker::State::on_handed_over(std::uint64_t session_key) {
  Session* session = session_of(session_key);
  if (!session || !session->leaving) return;
  --session->leaving->outstanding_count;
  // Not from within whatever settled it.
  if (session->leaving->has_read_all) timers.arm({moment.steady, Timer::Kind::SessionEnd, session_key, {}});
}

void Broker::State::end_leaving(Session& session, Now now) {
  if (!session.leaving->has_read_all || session.leaving->outstanding_count > 0) return;
  auto waiting = std::move(session.leaving->waiting);
  session.leaving.reset();
  if (session.phone) {
    purge(session, now);
  } else {
    remove(session, now);
  }
  for (auto& [id, outcome] : waiting) {
    Connection* connection = find(id);
    if (connection && connection->phase == Connection::Phase::Authenticating)
      on_authenticated(*connection, std::move(outcome), now);
  }
}

/// True: the CONNECT waits until the session before it has left its groups.
bool Broker::State::waits_for_leaver(Connection& connection, AuthOutcome& outcome, Now now) {
  Session* held = find_session(connection.pending->client_id.value);
  if (!held) return false;
  if (!held->leaving) {
    if (!connection.pending->clean_start || !has_shared_backlog(*held)) return false;
    if (Connection* old = connection_of(*held)) {
      fail(*old, ReasonCode::SessionTakenOver, "taken over by a new connection", now);
      held = find_session(connection.pending->client_id.value);
      if (!held) return false;
    }
    begin_leaving(*held);
  }
  held->leaving->waiting.emplace_back(connection.id, std::move(outcome));
  return true;
}

}  // namespace wake::broker
