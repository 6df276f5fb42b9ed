// What a session is owed: taking a message in, sending as slots become free, acknowledgements (v5 §4.3, §4.4,
// §4.6), and the exchange between memory and storage.
//
// Order is kept by one rule: while storage holds messages that memory does not (has_stored_tail), a new one
// goes behind them, into storage. Pages come back as memory runs dry. When a page is short, the session
// "catches up": new messages are stored and kept in `fresh` too; once everything stored before that moment is
// committed, one more page joins the two, and the session lives in memory again.
#include <algorithm>

#include "broker-core/broker_state.hpp"

namespace wake::broker {

namespace {

constexpr std::size_t kPage = 200;        // rows read at a time
constexpr std::size_t kRefillBelow = 50;  // read more when memory holds fewer
constexpr std::size_t kMaxFresh = 1000;   // kept in memory while catching up
constexpr std::size_t kHighWater =
    1024 * 1024;  // bytes in the Outbound above which the rest waits in the queue

}  // namespace

bool Broker::State::enqueue(Session& session, const MessageRef& message, Delivery delivery_in, bool store_now,
                            Now now) {
  const std::size_t bytes = message->record->payload.size() + message->record->topic.size();
  if (session.queued_messages >= limits.max_queued_messages ||
      session.queued_bytes + bytes > limits.max_queued_bytes) {
    report(Incident::Level::Warn, "queue.full",
           session.client_id.value + " is owed too much; refused message " +
               std::to_string(message->record->id.value));
    return false;
  }
  ++session.queued_messages;
  session.queued_bytes += bytes;
  // Of what a phone in the background is not sent yet, memory keeps a page and storage the rest.
  if (delivery_in.step == Delivery::Step::Held && session.held >= kPage) session.has_stored_tail = true;
  const bool goes_to_storage = session.is_durable() && (store_now || session.has_stored_tail);
  if (goes_to_storage) store_delivery(session, delivery_in);
  if (!session.is_connected()) {
    session.has_stored_tail = true;
    return true;
  }
  if (session.has_stored_tail) {
    if (session.is_catching_up && session.fresh.size() < kMaxFresh) {
      session.fresh.push_back(std::move(delivery_in));
    } else if (session.is_catching_up) {
      session.is_catching_up = false;
      session.fresh.clear();
    }
    return true;
  }
  if (session.is_durable() && !delivery_in.is_stored) {
    owe(*message);
    offered.push_back({now.steady + delivery.commit_window, session.key(),
                       session.first_number + session.deliveries.size()});
  }
  session.deliveries.push_back(std::move(delivery_in));
  pump(session, now);
  return true;
}

void Broker::State::store_delivery(Session& session, Delivery& owed) {
  ledger.store_message(*owed.message);
  ledger.open().queue.push_back(
      {session.client_id, owed.message->record->id, owed.qos, owed.retain, owed.subscription_id});
  owe_commit(*owed.message);
  owed.is_stored = true;
  session.last_stored_batch = ledger.batch();
  ++counters.messages_stored;
}

void Broker::State::pump(Session& session, Now now) {
  Connection* connection = connection_of(session);
  if (!connection || connection->phase != Connection::Phase::Active) return;
  const std::uint32_t slots = std::min<std::uint32_t>(connection->receive_maximum, limits.max_inflight);
  const auto has_slot = [&] { return session.inflight < slots && connection->output.size() < kHighWater; };
  const auto start = [&](std::uint32_t position) {
    Delivery& next = session.deliveries[position];
    next.step = Delivery::Step::Sent;
    ++session.inflight;
    if (!send_delivery(*connection, session, position, false, now)) finish(session, next, "expired");
  };
  // What was held goes first: it is older.
  for (std::uint32_t i = 0; session.held > 0 && !session.holds() && i < session.sent && has_slot(); ++i) {
    if (session.deliveries[i].step != Delivery::Step::Held) continue;
    --session.held;
    start(i);
  }
  while (session.sent < session.deliveries.size()) {
    if (session.holds() && session.deliveries[session.sent].step == Delivery::Step::Held) {
      ++session.held;
      ++session.sent;
      continue;
    }
    if (!has_slot() || (session.held > 0 && !session.holds())) break;
    start(session.sent++);
  }
  drop_finished(session);
  load_more(session);
}

bool Broker::State::send_delivery(Connection& connection, Session& session, std::size_t position,
                                  bool is_again, Now now) {
  const Delivery& next = session.deliveries[position];
  const PacketId packet_id = Session::packet_id_of(session.first_number + position);
  const MessageRecord& record = *next.message->record;
  if (record.expires_at <= now.utc && !is_again) return false;
  const bool is_v5 = connection.version == Version::V5;
  std::string properties = record.properties;
  if (connection.sends_wake_id) append_user_property(properties, "wake-id", std::to_string(record.id.value));
  PublishParts parts{.version = connection.version,
                     .dup = is_again,
                     .qos = next.qos,
                     .retain = next.retain,
                     .topic = record.topic,
                     .payload = as_bytes(record.payload),
                     .forwardable_properties = properties,
                     .message_expiry_s = std::nullopt,
                     .subscription_ids = {}};
  const std::vector<std::uint32_t> ids = subscription_ids_of(session, next);
  if (is_v5) parts.subscription_ids = ids;
  if (is_v5 && record.expires_at != kNever) {
    parts.message_expiry_s = static_cast<std::uint32_t>(std::max<std::int64_t>(
        std::chrono::ceil<std::chrono::seconds>(record.expires_at - now.utc).count(), 0));
  }
  if (publish_packet_bytes(parts) >
      connection.max_packet_bytes) {  // v5 [MQTT-3.1.2-24]: as if it had been sent
    ++counters.publishes_dropped;
    return false;
  }
  use_alias(connection, parts);
  append_publish(make_publish_template(parts), packet_id, is_again, connection.output.own_bytes());
  connection.output.own_bytes_written();
  ++counters.publishes_sent;
  touch(connection);
  return true;
}

void Broker::State::on_ack(Connection& connection, const Ack& ack, Now now) {
  Session& session = *sessions[connection.session];
  Delivery* sent = session.find_sent(ack.packet_id);
  const bool is_qos2 = sent && sent->qos == Qos::ExactlyOnce;
  if (ack.type == PacketType::Pubrec) {
    const bool is_ok = is_qos2 && !is_failure(ack.reason);
    if (is_ok) sent->step = Delivery::Step::Received;
    if (is_ok || !sent) {
      // A PUBREC for an id we do not know: v5 answers 0x92; 3.x has no word for it and expects the PUBREL all
      // the same.
      send(connection, Ack{PacketType::Pubrel,
                           ack.packet_id,
                           is_ok ? ReasonCode::Success : ReasonCode::PacketIdentifierNotFound,
                           {},
                           {}});
      return;
    }
    if (!is_qos2) return fail(connection, ReasonCode::ProtocolError, "PUBREC for a QoS 1 message", now);
  } else if (sent && is_qos2 != (ack.type == PacketType::Pubcomp)) {
    return fail(connection, ReasonCode::ProtocolError, "acknowledgement of the wrong kind", now);
  }
  if (!sent) return;  // a late acknowledgement harms nothing
  finish(session, *sent, "acknowledged");
  pump(session, now);
}

void Broker::State::finish(Session& session, Delivery& done, const char* why) {
  const MessageRecord& record = *done.message->record;
  done.step = Delivery::Step::Done;
  --session.inflight;
  if (session.queued_messages > 0) --session.queued_messages;
  session.queued_bytes -= std::min(session.queued_bytes, record.payload.size() + record.topic.size());
  if (done.is_stored) {
    ledger.open().acknowledged.push_back({session.client_id, record.id});
    session.removals.push_back({ledger.batch(), record.id});
  } else if (session.is_durable() && done.message->is_open) {
    one_answered(record.id, false);
  }
  // A message acknowledged before its push left cancels the push (contract §2.4). Mode `always` asks for
  // both, so there only an acknowledgement that comes later than ack_timeout does.
  const bool is_young = moment.utc - record.at < delivery.ack_timeout;
  if (session.phone && !(done.rings_always && is_young)) cancel_notice(session, record.id, why);
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

void Broker::State::resend(Session& session, Now now) {
  Connection& connection = *connection_of(session);
  for (std::uint32_t i = 0; i < session.sent; ++i) {
    Delivery& sent = session.deliveries[i];
    if (sent.step == Delivery::Step::Sent && !send_delivery(connection, session, i, true, now))
      finish(session, sent, "expired");
    if (sent.step == Delivery::Step::Received) {
      send(connection, Ack{PacketType::Pubrel,
                           Session::packet_id_of(session.first_number + i),
                           ReasonCode::Success,
                           {},
                           {}});
    }
  }
}

void Broker::State::load_more(Session& session) {
  const bool is_wanted = session.has_stored_tail && session.load_ticket == 0 && session.is_connected() &&
                         session.deliveries.size() < kRefillBelow && !session.holds();
  if (!is_wanted) return;
  if (session.is_catching_up && !ledger.is_committed(session.catch_up_batch))
    return;  // on_committed comes back
  LoadQueue load{session.client_id, next_ticket++, {}, kPage};
  for (std::size_t i = 0; i < session.deliveries.size(); ++i) {
    // Also what is not stored yet: it may be by the time storage reads.
    const Delivery& held = session.deliveries[i];
    if (held.message) load.except.push_back(held.message->record->id);
  }
  for (std::size_t i = 0; i < session.fresh.size(); ++i)
    load.except.push_back(session.fresh[i].message->record->id);
  for (std::size_t i = 0; i < session.removals.size(); ++i) load.except.push_back(session.removals[i].second);
  session.load_ticket = load.ticket;
  effects.push_back(std::move(load));
}

void Broker::State::on_queue_page(Session& session, QueuePage page, Now now) {
  session.load_ticket = 0;
  if (!session.is_connected()) return;
  const bool is_short = page.is_last;
  if (session.is_catching_up) drop_fresh(session, page);
  for (QueuedMessage& row : page.messages) {
    auto record = std::make_shared<const MessageRecord>(std::move(row.message));
    const MessageRef message(new Message{.record = std::move(record), .waiter = {}, .stored_batch = 1});
    session.deliveries.push_back({.message = message,
                                  .qos = row.qos,
                                  .step = Delivery::Step::Queued,
                                  .is_stored = true,
                                  .retain = row.retain,
                                  .has_more_ids = row.subscription_id != 0,
                                  .subscription_id = row.subscription_id});
  }
  if (is_short && session.is_catching_up) {
    // Everything stored before `fresh` is in memory now.
    while (!session.fresh.is_empty()) {
      session.deliveries.push_back(std::move(session.fresh.front()));
      session.fresh.pop_front();
    }
    session.is_catching_up = session.has_stored_tail = false;
    recount(session);
  } else if (is_short) {
    session.is_catching_up = true;
    session.catch_up_batch = session.last_stored_batch;
    if (!ledger.is_committed(session.catch_up_batch)) {
      ledger.waiting_for(session.catch_up_batch).catching_up.push_back(session.key());
    }
  } else if (session.is_catching_up) {
    session.is_catching_up = false;  // a full page: more than `fresh` can bridge
    session.fresh.clear();
  }
  pump(session, now);
}

/// Storage is read some time after it was asked: what came and was committed in between is in the page and in
/// `fresh`. The last page leaves it to `fresh`; any other gives up `fresh`, and so must not go beyond what
/// that holds.
void Broker::State::drop_fresh(const Session& session, QueuePage& page) {
  std::vector<MessageId> fresh;
  for (std::size_t i = 0; i < session.fresh.size(); ++i)
    fresh.push_back(session.fresh[i].message->record->id);
  if (fresh.empty()) return;
  std::ranges::sort(fresh);
  std::erase_if(page.messages, [&](const QueuedMessage& row) {
    return page.is_last ? std::ranges::binary_search(fresh, row.message.id) : row.message.id > fresh.front();
  });
}

/// Rows that expired in storage were never told of: once all is in memory, what is owed can be counted.
void Broker::State::recount(Session& session) {
  session.queued_messages = 0;
  session.queued_bytes = 0;
  for (std::size_t i = 0; i < session.deliveries.size(); ++i) {
    const MessageRef& message = session.deliveries[i].message;
    if (!message) continue;
    ++session.queued_messages;
    session.queued_bytes += message->record->payload.size() + message->record->topic.size();
  }
}

/// What was not sent yet goes back to storage only; what is on its way stays, for its packet ids.
void Broker::State::forget_unsent(Session& session) {
  for (std::size_t i = 0; i < session.deliveries.size(); ++i) {
    Delivery& held = session.deliveries[i];
    if (held.message && !held.is_stored) {
      const bool was_owed = held.message->is_open;
      store_delivery(session, held);
      if (was_owed) one_answered(held.message->record->id, false);  // now owed by the commit instead
    }
  }
  while (session.deliveries.size() > session.sent) {
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
    Delivery& held = session->deliveries[position];
    if (held.is_stored || held.step == Delivery::Step::Done) continue;
    const MessageRef message = held.message;
    const bool was_owed = message->is_open;
    store_delivery(*session, held);
    if (was_owed) one_answered(message->record->id, false);
  }
}

void Broker::State::on_committed(Ledger::Waiting waiting, bool is_failed, Now now) {
  for (const MessageId id : waiting.owed) one_answered(id, is_failed);
  for (auto& [id, bytes] : waiting.replies) {
    Connection* connection = find(id);
    if (!connection || connection->phase != Connection::Phase::Active) continue;
    connection->output.append(bytes);
    touch(*connection);
  }
  for (const auto& [key, filter] : waiting.retained_jobs) {
    Session* session = session_of(key);
    if (!session) continue;
    const auto found = session->subscriptions.find(filter);
    if (found != session->subscriptions.end()) start_retained(*session, found->second, now);
  }
  for (const auto& [key, message] : waiting.notices) {
    Session* session = session_of(key);
    if (session && session->phone && !is_failed) notice_committed(*session, message, now);
  }
  for (const std::uint64_t key : waiting.catching_up) {
    if (Session* session = session_of(key)) load_more(*session);
  }
}

}  // namespace wake::broker
