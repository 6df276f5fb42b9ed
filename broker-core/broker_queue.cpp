// What a session is owed: taking a message in, sending as slots become free, acknowledgements (v5 §4.3, §4.4,
// §4.6); what memory does not hold is in broker_pages.cpp.
//
// Order is kept by one rule: while storage holds messages that memory does not (has_stored_tail), a new one
// goes behind them, into storage. Pages come back as memory runs dry. When a page is short, the session
// "catches up": new messages are stored and kept in `fresh` too; once everything stored before that moment is
// committed, one more page joins the two, and the session lives in memory again.
#include <algorithm>

#include "broker-core/broker_state.hpp"

namespace wake::broker {

namespace {

constexpr std::size_t kHeldInMemory = 200;  // of a phone in the background
constexpr std::size_t kMaxFresh = 1000;     // kept in memory while catching up
/// Of one session, each time that it is full: else who never reads would make the table of refusals grow as
/// its queue may not.
constexpr std::uint32_t kMaxTracedRefusals = 1000;

}  // namespace

bool Broker::State::enqueue(Session& session, const MessageRef& message, Delivery delivery_in, bool store_now,
                            Now now) {
  const std::size_t bytes = message->record->payload.size() + message->record->topic.size();
  if (!fits(session, bytes) && !make_room(session, bytes, message->record->id)) {
    ++counters.messages_refused;
    tell_full(session);
    trace_refusal(session, *message->record);
    return false;
  }
  set_owed(session, session.queued_messages + 1, session.queued_bytes + bytes);
  // Of what a phone in the background is not sent yet, memory keeps a page and storage the rest.
  if (delivery_in.step == Delivery::Step::Held && session.held >= kHeldInMemory)
    session.has_stored_tail = true;
  const bool goes_to_storage = session.has_storage() && (store_now || session.has_stored_tail);
  if (goes_to_storage) store_delivery(session, delivery_in);
  if (!session.is_connected()) {
    session.has_stored_tail = true;
    tell_readiness(session);
    return true;
  }
  if (session.has_stored_tail) {
    tell_readiness(session);
    if (session.is_catching_up && session.fresh.size() < kMaxFresh) {
      session.fresh.push_back(std::move(delivery_in));
    } else if (session.is_catching_up) {
      session.is_catching_up = false;
      session.fresh.clear();
    }
    return true;
  }
  if (session.has_storage() && !delivery_in.is_stored) {
    owe(*message);
    delivery_in.is_owed = message->is_open;
    session.append(std::move(delivery_in));
    const std::uint64_t number = session.first_number + session.deliveries.size() - 1;
    offered.push_back({now.steady + delivery.commit_window, session.key(), number});
  } else {
    session.append(std::move(delivery_in));
  }
  pump(session, now);
  return true;
}

bool Broker::State::fits(const Session& session, std::size_t bytes) const {
  return session.queued_messages < limits.max_queued_messages &&
         session.queued_bytes + bytes <= limits.max_queued_bytes;
}

void Broker::State::set_owed(Session& session, std::uint32_t messages, std::size_t bytes) {
  counters.queued_messages += std::uint64_t{messages} - session.queued_messages;
  counters.queued_bytes += std::uint64_t{bytes} - session.queued_bytes;
  session.queued_messages = messages;
  session.queued_bytes = bytes;
}

bool Broker::State::make_room(Session& session, std::size_t bytes, MessageId newest) {
  if (limits.queue_full == QueueFull::Refuse || bytes > limits.max_queued_bytes) return false;
  tell_full(session);
  // What memory holds is the oldest; what has left, or has its packet id, stays.
  for (std::size_t i = session.sent; i < session.deliveries.size() && !fits(session, bytes); ++i) {
    Delivery& oldest = session.deliveries[i];
    if (oldest.step != Delivery::Step::Queued || oldest.is_again || oldest.packet_id != 0) continue;
    ++session.inflight;  // give_up() ends it as if it had been sent
    ++counters.messages_evicted;
    give_up(session, oldest);
  }
  // Then a tenth of what storage holds at a time; the bytes that frees are known when the queue is read.
  while (session.has_stored_tail && session.queued_messages > 0 && !fits(session, bytes)) {
    const std::uint32_t keep = session.queued_messages - session.queued_messages / 10 - 1;
    counters.messages_evicted += session.queued_messages - keep;
    set_owed(session, keep, session.queued_bytes / session.queued_messages * keep);
    ledger.open().trims.push_back({session.client_id, newest, keep + 1});  // it is one of them
  }
  return fits(session, bytes);
}

/// Once as it begins, not per message: the counters have those.
void Broker::State::tell_full(Session& session) {
  if (std::exchange(session.is_full, true)) return;
  const bool drops = limits.queue_full == QueueFull::DropOldest;
  report(Incident::Level::Warn, "queue.full",
         session.client_id.value + " is owed " + std::to_string(session.queued_messages) + " messages of " +
             std::to_string(session.queued_bytes) +
             " bytes: " + (drops ? "the oldest are dropped" : "new ones are refused") + " until it reads");
}

void Broker::State::trace_refusal(Session& session, const MessageRecord& record) {
  if (session.traced_refusals >= kMaxTracedRefusals) return;
  ++session.traced_refusals;
  ledger.open().refused.push_back({session.client_id, record.id, record.topic, record.at});
}

void Broker::State::tell_room(Session& session) {
  const bool has_room = session.queued_messages <= limits.max_queued_messages / 10 * 9 &&
                        session.queued_bytes <= limits.max_queued_bytes / 10 * 9;
  if (!has_room) return;
  session.is_full = false;
  session.traced_refusals = 0;
  report(Incident::Level::Info, "queue.has_room", session.client_id.value + " reads again");
}

void Broker::State::store_delivery(Session& session, Delivery& owed) {
  ledger.store_message(*owed.message);
  ledger.open().queue.push_back({session.client_id,
                                 owed.message->record->id,
                                 owed.qos,
                                 owed.retain,
                                 owed.subscription_id,
                                 {owed.packet_id}});
  owe_commit(*owed.message);
  owed.is_stored = true;
  session.last_stored_batch = ledger.batch();
  ++counters.messages_stored;
}

/// What was offered goes to storage: the commit answers for it from now on.
void Broker::State::store_offered(Session& session, std::size_t position) {
  Delivery& owed = session.deliveries[position];
  const MessageRef message = owed.message;
  const bool was_owed = std::exchange(owed.is_owed, false);
  const bool was_sent = owed.step == Delivery::Step::Sent || owed.is_again;
  if (was_sent && owed.qos == Qos::AtLeastOnce) {
    owed.packet_id = session.packet_id_at(position).value;
    owed.is_committed = true;
  }
  store_delivery(session, owed);
  if (was_owed) one_answered(message->record->id, false);
}

void Broker::State::pump(Session& session, Now now) {
  Connection* connection = connection_of(session);
  if (!connection || connection->phase != Connection::Phase::Active) return;
  drop_finished(session);  // their packet ids are free
  const std::uint32_t slots = std::min<std::uint32_t>(connection->receive_maximum, limits.max_inflight);
  const auto has_slot = [&] {
    return session.inflight < slots && session.sent < Session::kPacketIds &&
           connection->output.size() < kHighWater;
  };
  const auto start = [&](std::uint32_t position) {
    Delivery& next = session.deliveries[position];
    next.step = Delivery::Step::Sent;
    ++session.inflight;
    if (!send_delivery(*connection, session, position, now)) finish(session, next, "expired");
  };
  bool must_wait = false;
  // What was held goes first: it is older.
  for (std::uint32_t i = 0; session.held > 0 && !session.holds() && i < session.sent && has_slot(); ++i) {
    if (session.deliveries[i].step != Delivery::Step::Held) continue;
    must_wait = !may_leave(session, i);
    if (must_wait) break;
    --session.held;
    start(i);
  }
  while (!must_wait && session.sent < session.deliveries.size()) {
    const Delivery::Step step = session.deliveries[session.sent].step;
    const bool is_held = session.holds() && step == Delivery::Step::Held;
    if (is_held || step == Delivery::Step::Received || step == Delivery::Step::Done) {
      session.held += is_held ? 1 : 0;
      ++session.sent;
      continue;
    }
    if (!has_slot() || (session.held > 0 && !session.holds()) || !may_leave(session, session.sent)) break;
    start(session.sent++);
  }
  drop_finished(session);
  tell_readiness(session);
  load_more(session);
}

void Broker::State::on_ack(Connection& connection, const Ack& ack, Now now) {
  if (ack.type == PacketType::Pubrec) return on_pubrec(connection, ack, now);
  Session& session = *sessions[connection.session];
  const auto number = session.find_sent(ack.packet_id);
  if (!number) return;  // a late acknowledgement harms nothing
  Delivery& sent = session.delivery(*number);
  if ((sent.qos == Qos::ExactlyOnce) != (ack.type == PacketType::Pubcomp)) {
    return fail(connection, ReasonCode::ProtocolError, "acknowledgement of the wrong kind", now);
  }
  finish(session, sent, "acknowledged");
  pump(session, now);
}

void Broker::State::finish(Session& session, Delivery& done, const char* why) {
  const MessageRef message = done.message;
  // A message acknowledged before its push left cancels the push (contract §2.4). Mode `always` asks for
  // both, so there only an acknowledgement that comes later than ack_timeout does.
  const bool is_young = moment.utc - message->record->at < delivery.ack_timeout;
  const bool cancels = session.phone && done.may_have_notice && !(done.rings_always && is_young);
  give_up(session, done);
  if (cancels) cancel_notice(session, message->record->id, why);
}

/// The session is no longer owed it, whatever became of it.
void Broker::State::give_up(Session& session, Delivery& done) {
  const MessageRecord& record = *done.message->record;
  done.step = Delivery::Step::Done;
  --session.inflight;
  if (!session.restored.empty()) session.restored.erase(done.packet_id);
  forget_owed(session, record);
  if (done.is_stored) {
    ledger.open().acknowledged.push_back({session.client_id, record.id});
    session.removals.push_back({ledger.batch(), record.id});
  } else if (done.is_owed) {
    one_answered(record.id, false);
  }
  done.message = MessageRef();
}

void Broker::State::drop_finished(Session& session) {
  while (session.sent > 0 && session.deliveries.front().step == Delivery::Step::Done) {
    session.deliveries.pop_front();
    ++session.first_number;
    --session.sent;
  }
  while (!session.removals.is_empty() && ledger.is_committed(session.removals.front().first))
    session.removals.pop_front();
}

/// A new connection of the session: what was on its way goes out again from the front, with DUP and its
/// packet id, as the client's receive maximum allows; what it has received needs its PUBREL only (v5
/// [MQTT-4.4.0-1]).
void Broker::State::resume(Session& session) {
  session.sent = session.inflight = session.held = 0;
  for (std::uint32_t i = 0; i < session.deliveries.size(); ++i) {
    Delivery& owed = session.deliveries[i];
    if (owed.step == Delivery::Step::Sent) {
      owed.step = Delivery::Step::Queued;
      owed.is_again = true;
    } else if (owed.step == Delivery::Step::Received) {
      ++session.inflight;
      if (owed.is_committed || owed.packet_id == 0)
        send_pubrel(*connection_of(session), session.packet_id_at(i), ReasonCode::Success);
    }
  }
}

/// What was not sent yet goes back to storage only; what is on its way stays, for its packet ids.
void Broker::State::forget_unsent(Session& session) {
  for (std::size_t i = 0; i < session.deliveries.size(); ++i) {
    Delivery& held = session.deliveries[i];
    if (held.message && !held.is_stored) store_offered(session, i);
  }
  const auto is_unsent = [&] {
    if (session.deliveries.size() <= session.sent) return false;
    const Delivery& last = session.deliveries.back();
    return !last.is_again && last.packet_id == 0;
  };
  while (is_unsent()) {
    session.deliveries.pop_back();
    session.has_stored_tail = true;
  }
  if (!session.fresh.is_empty()) session.has_stored_tail = true;
  session.fresh.clear();
  session.is_catching_up = false;
  session.load_ticket = 0;
}

void Broker::State::on_commit_window(Now now) {
  while (!offered.is_empty() && offered.front().due <= now.steady) {
    const Offered due = offered.front();
    offered.pop_front();
    Session* session = session_of(due.session_key);
    if (!session || due.number < session->first_number) continue;
    const std::uint64_t position = due.number - session->first_number;
    if (position >= session->deliveries.size()) continue;
    const Delivery& held = session->deliveries[position];
    if (!held.is_stored && held.step != Delivery::Step::Done) store_offered(*session, position);
  }
}

void Broker::State::on_committed(Ledger::Waiting committed, bool is_failed, Now now) {
  for (const MessageId id : committed.owed) one_answered(id, is_failed);
  for (const auto& [user, filter] : committed.switched) {
    if (entry_switches.answered(user, filter, committed.batch, is_failed, now.steady))
      effects.push_back(ReadUser{user});
  }
  for (auto& [id, bytes] : committed.replies) {
    Connection* connection = find(id);
    if (!connection || connection->phase != Connection::Phase::Active) continue;
    connection->output.append(bytes);
    ++counters.packets_sent;
    touch(*connection);
  }
  for (const auto& [key, filter] : committed.retained_jobs) {
    Session* session = session_of(key);
    if (!session) continue;
    const auto found = session->subscriptions.find(filter);
    if (found != session->subscriptions.end()) start_retained(*session, found->second, now);
  }
  for (const auto& [key, message] : committed.notices) {
    Session* session = session_of(key);
    if (!session || !session->phone || is_failed) continue;
    const auto waiting = provisional.find(message);
    if (waiting == provisional.end()) {
      notice_committed(*session, message, now);
    } else {
      waiting->second.notices.push_back(key);
    }
  }
  for (const auto& [key, packet_id] : committed.released) {
    if (Session* session = session_of(key)) on_released(*session, packet_id);
  }
  for (const auto& [key, number] : committed.started) {
    if (Session* session = session_of(key)) on_started(*session, number, now);
  }
  for (const std::uint64_t key : committed.catching_up) {
    if (Session* session = session_of(key)) load_more(*session);
  }
  for (const ConnectionId id : committed.accepted) {
    if (Connection* connection = find(id)) release_held(*connection, is_failed, now);
  }
  ask_for_wills();
}

}  // namespace wake::broker
