// Who leaves a group and has messages for it in storage. They go to other members, and a row is removed only
// when its message is settled there: so whatever is killed in between, a message is in one place at least. A
// session that ends is read page by page, and ends when all are settled; one that unsubscribes lives on. Who
// connects under the session's client id meanwhile waits, at most for connect_timeout.
#include <algorithm>
#include <iterator>

#include "broker-core/broker_state.hpp"
#include "broker-core/topic/topic_name.hpp"

namespace wake::broker {

namespace {
constexpr std::size_t kHandedPage = 200;  // rows read at a time
}

bool Broker::State::has_shared_backlog(const Session& session) {
  if (!session.has_row) return false;
  if (!session.handing.empty()) return true;
  if (session.share_count == 0 && session.left_groups.empty()) return false;
  if (session.has_stored_tail) return true;
  for (std::size_t i = 0; i < session.deliveries.size(); ++i) {
    if (session.deliveries[i].share && session.deliveries[i].is_stored) return true;
  }
  return false;
}

void Broker::State::begin_leaving(Session& session) {
  session.leaving = std::make_unique<Leaving>();
  session.leaving->names = groups_of(session);
  for (const ShareName& name : session.leaving->names) {
    leave(session, *name);
    session.subscriptions.erase(*name);
  }
  std::ranges::move(std::exchange(session.left_groups, {}), std::back_inserter(session.leaving->names));
  std::vector<Delivery> unstored;
  for (Delivery& held : take_all_shared(session)) {
    if (held.is_stored) {
      hand_durably(session, held.message->record, *held.share, moment);
    } else {
      unstored.push_back(std::move(held));
    }
  }
  hand_over(std::move(unstored), moment);
  load_leaving(session);
}

/// The publisher may have been told that the message is safe, so it stays so: the row is removed, or the
/// session with it, when the heir has acknowledged the message or has it in storage.
bool Broker::State::hand_durably(Session& session, const RecordPtr& record, std::string_view name, Now now) {
  auto turn = shares.pick(name);
  if (!turn) return false;
  const MessageId id = record->id;
  session.handing.insert(id);
  const Waiter* others = settlements.find(id);  // it is not settled yet at all
  Routed routed =
      Routed::of(final_record(record), others ? *others : Waiter{Waiter::Kind::Leaver, {}, session.key()});
  if (!others) {
    give_turn(std::move(*turn), routed, now);
    finish_routing(routed, true);
    return true;
  }
  leavers.emplace(id, session.key());
  routed.message->is_open = true;
  settlements.expect(id, 1);
  give_turn(std::move(*turn), routed, now);
  one_answered(id, false);
  return true;
}

/// What was sent already the session completes (v5 [MQTT-3.10.4-3]); what storage holds beyond memory is
/// handed on as it is read back.
void Broker::State::hand_on_unsubscribe(Session& session, const std::string& name, Now now) {
  if (session.has_stored_tail) {
    session.left_groups.push_back(std::make_shared<const std::string>(name));
    session.is_catching_up = false;  // from storage again, and not from `fresh`
    session.fresh.clear();
  }
  std::vector<Delivery> unstored;
  for (Delivery& held : take_unsent(session, name)) {
    const MessageId id = held.message->record->id;
    if (!held.is_stored) {
      unstored.push_back(std::move(held));
    } else if (!hand_durably(session, held.message->record, name, now)) {
      remove_row(session, id);
    }
  }
  hand_over(std::move(unstored), now);
}

bool Broker::State::hand_left_over(Session& session, const QueuedMessage& row, const RecordPtr& record,
                                   Now now) {
  if (session.handing.contains(record->id)) return true;  // the page was asked for before that
  if (session.left_groups.empty() || row.packet_id.value != 0) return false;
  const ShareName name = group_for(session.left_groups, record->topic);
  if (!name) return false;
  const auto is_for = [&](const auto& subscription) {
    const auto shared = parse_shared(subscription.first);
    return matches(shared ? shared->filter : subscription.first, record->topic);
  };
  if (std::ranges::any_of(session.subscriptions, is_for)) return false;
  if (!hand_durably(session, record, *name, now)) return false;
  forget_owed(session, *record);
  return true;
}

void Broker::State::load_leaving(Session& session) {
  LoadQueue load{session.client_id, next_ticket++, session.leaving->handed, kHandedPage};
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
    const bool has_begun = row.packet_id.value != 0;
    if (has_begun && row.qos == Qos::ExactlyOnce) continue;  // v5 [MQTT-4.8.2-5]
    const ShareName name = group_for(leaving.names, row.message.topic);
    if (!name || session.handing.contains(row.message.id)) continue;  // its own: ends with it
    hand_durably(session, std::make_shared<const MessageRecord>(std::move(row.message)), *name, now);
  }
  leaving.has_read_all = page.is_last;
  if (!page.is_last) return load_leaving(session);
  end_leaving(session, now);
}

void Broker::State::on_handed_over(std::uint64_t session_key, MessageId id) {
  Session* session = session_of(session_key);
  if (!session || session->handing.erase(id) == 0) return;
  if (!session->leaving) return remove_row(*session, id);
  // Not from within whatever settled it.
  if (session->leaving->has_read_all) timers.arm({moment.steady, Timer::Kind::SessionEnd, session_key, {}});
}

void Broker::State::end_leaving(Session& session, Now now) {
  if (!session.leaving->has_read_all || !session.handing.empty()) return;
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
    if (!held->leaving) begin_leaving(*held);
  }
  held->leaving->waiting.emplace_back(connection.id, std::move(outcome));
  return true;
}

}  // namespace wake::broker
