// Exactly once (v5 §4.3.3, v3.1.1 §4.3.3), for durable sessions also through kill -9.
//
// Towards the client. A receiver tells a repetition by its packet id, so the id must be the same after a
// restart: it is written to the message's row before the PUBLISH leaves for the first time (one commit,
// mostly the one that stores the row; broker_packet_ids.cpp), and before a PUBREL leaves, the PUBREC is.
// After a restart the rows say it all: with an id the PUBLISH goes again with DUP and that id; received, the
// PUBREL does; without an id it has never left. QoS 1 messages behind it wait for it.
//
// From the client. The packet id of its publish is a receipt, committed with the message's rows before the
// PUBREC, removed before the PUBCOMP: so an id that the client uses anew is never taken for an old one.
//
// Receivers on several shards. Their rows are in batches of their own, so one commit does not hold them all.
// Then the message is provisional first: all parts are committed marked so, and only when each shard has
// answered does one more commit of the publisher's shard take the mark off and write the receipt. Nothing of
// it leaves at QoS 2 or as a notification before that (FinalMail); after a restart what is still marked is
// forgotten, because its publisher has no PUBREC and sends it again.
//
// From a back end whose publish has an Idempotency-Key. It brings its message id, which is written down with
// the key before; the receipt is the message's own row, stored even if nobody is owed it, and marked and
// final as above.
#include <algorithm>

#include "broker-core/broker_state.hpp"

namespace wake::broker {

// ---- towards the client

void Broker::State::on_pubrec(Connection& connection, const Ack& ack, Now now) {
  Session& session = *sessions[connection.session];
  const auto number = session.find_sent(ack.packet_id);
  // A PUBREC for an id we do not know: v5 answers 0x92; 3.x has no word for it and expects the PUBREL all the
  // same.
  if (!number) return send_pubrel(connection, ack.packet_id, ReasonCode::PacketIdentifierNotFound);
  Delivery& sent = session.delivery(*number);
  if (sent.qos != Qos::ExactlyOnce)
    return fail(connection, ReasonCode::ProtocolError, "PUBREC for a QoS 1 message", now);
  if (is_failure(ack.reason)) {
    finish(session, sent, "acknowledged");
    return pump(session, now);
  }
  const bool is_first = sent.step != Delivery::Step::Received;
  sent.step = Delivery::Step::Received;
  if (sent.packet_id == 0 || (!is_first && sent.is_committed))
    return send_pubrel(connection, ack.packet_id, ReasonCode::Success);
  if (!is_first) return;  // its PUBREL comes with the commit
  sent.is_committed = false;
  ledger.open().started.push_back({session.client_id, sent.message->record->id, ack.packet_id, true});
  ledger.waiting().started.emplace_back(session.key(), *number);
}

void Broker::State::send_pubrel(Connection& connection, PacketId packet_id, ReasonCode reason) {
  if (connection.phase != Connection::Phase::Active) return;
  send(connection, Ack{PacketType::Pubrel, packet_id, reason, {}, {}});
}

// ---- from the client

void Broker::State::on_pubrel(Connection& connection, const Ack& ack) {
  Session& session = *sessions[connection.session];
  const auto found = session.received.find(ack.packet_id.value);
  const bool is_known = found != session.received.end();
  if (is_known && connection.unanswered > 0) --connection.unanswered;
  if (is_known && found->second.is_stored) {
    if (found->second.is_released) return;  // its PUBCOMP comes with the commit
    found->second.is_released = true;
    ledger.open().receipts.push_back({session.client_id, ack.packet_id, true});
    ledger.waiting().released.emplace_back(session.key(), ack.packet_id);
    return;
  }
  if (is_known) session.received.erase(found);
  const ReasonCode reason = is_known ? ReasonCode::Success : ReasonCode::PacketIdentifierNotFound;
  send(connection, Ack{PacketType::Pubcomp, ack.packet_id, reason, {}, {}});
}

void Broker::State::on_released(Session& session, PacketId packet_id) {
  const auto found = session.received.find(packet_id.value);
  if (found == session.received.end() || !found->second.is_released) return;
  session.received.erase(found);
  Connection* connection = connection_of(session);
  if (!connection || connection->phase != Connection::Phase::Active) return;
  send(*connection, Ack{PacketType::Pubcomp, packet_id, ReasonCode::Success, {}, {}});
}

void Broker::State::store_receipt(Session& session, PacketId packet_id, Received& receipt) {
  receipt.is_stored = true;
  ledger.open().receipts.push_back({session.client_id, packet_id, false});
}

void Broker::State::drop_receipt(Session& session, PacketId packet_id) {
  const auto found = session.received.find(packet_id.value);
  if (found == session.received.end()) return;
  if (found->second.is_stored) ledger.open().receipts.push_back({session.client_id, packet_id, true});
  session.received.erase(found);
}

Received* Broker::State::receipt_of(const Waiter& waiter, MessageId id) {
  Session* session = waiter.session != 0 ? session_of(waiter.session) : nullptr;
  if (!session) return nullptr;
  const auto found = session->received.find(waiter.packet_id.value);
  return found != session->received.end() && found->second.message == id ? &found->second : nullptr;
}

/// The publish failed: the client may use its packet id for something else, or for another try.
void Broker::State::refuse_receipt(const Waiter& waiter, MessageId id) {
  if (receipt_of(waiter, id)) drop_receipt(*session_of(waiter.session), waiter.packet_id);
}

void Broker::State::keep_receipt(Routed& routed) {
  const Waiter& waiter = routed.waiter;
  if (routed.will.value != 0) return keep_row_of_will(routed);
  if (waiter.kind == Waiter::Kind::Backend) {
    // Its row says that it was published: where nobody has taken it, its publisher hears that it was not.
    if (interested.empty() && routed.is_full && !routed.is_taken) return;
    ledger.store_message(*routed.keep());
    owe_commit(*routed.keep());
    if (routed.is_provisional) provisional[routed.id].shards = interested;
    return;
  }
  if (!routed.is_provisional) {
    store_receipt(*session_of(waiter.session), waiter.packet_id, *receipt_of(waiter, routed.id));
    return owe_commit(*routed.keep());
  }
  provisional[routed.id].shards = interested;
}

// ---- several shards

bool Broker::State::begin_final(MessageId id, const Waiter& waiter) {
  if (provisional.empty() || !waiter.is_of_origin()) return false;
  const auto found = provisional.find(id);
  if (found == provisional.end() || found->second.is_final) return false;
  if (waiter.kind == Waiter::Kind::Backend && waiter.is_refusal()) return false;  // void after a restart
  found->second.is_final = true;
  ledger.open().finalized.push_back(id);
  if (found->second.will.value != 0) ledger.open().wills_gone.push_back(found->second.will);
  if (Received* receipt = receipt_of(waiter, id))
    store_receipt(*session_of(waiter.session), waiter.packet_id, *receipt);
  settlements.open(id, waiter, 1);
  ledger.waiting().owed.push_back(id);
  return true;
}

void Broker::State::release(MessageId id) {
  const auto found = provisional.find(id);
  if (found == provisional.end()) return;
  const Provisional released = std::move(found->second);
  provisional.erase(found);
  for (const std::uint32_t shard : released.shards) mail[shard].emplace_back(FinalMail{id});
  for (const std::uint64_t key : released.sessions) {
    if (Session* session = session_of(key)) pump(*session, moment);
  }
  for (const std::uint64_t key : released.notices) {
    Session* session = session_of(key);
    if (session && session->phone) notice_committed(*session, id, moment);
  }
}

}  // namespace wake::broker
