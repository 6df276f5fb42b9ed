// Packet ids towards a client (v5 §2.2.1, §4.4). A message that the client may have keeps its id until it is
// acknowledged, whatever is restarted (v5 [MQTT-4.4.0-1]), and no other message gets that id meanwhile.
//
// A delivery in memory has the id that is computed from its number (session.hpp), which costs nothing and
// ends with the process. Towards a durable session it must come back from the message's row:
//   QoS 1, sent before it is stored   the row is written with the id
//   QoS 1, stored before it is sent   the id is computed from the message's own, so nothing is written. One
//                                     in some hundred finds that taken: then the next, as QoS 2
//   QoS 2                             the id is written down before the PUBLISH leaves
// What was sent and not even stored is nobody's promise; a session that is loaded begins to number at a place
// that differs from start to start, so that its ids are not likely those of new messages.
#include <algorithm>

#include "broker-core/broker_state.hpp"

namespace wake::broker {

namespace {

/// 1..65535. Multiplied, since the ids of messages that come together differ in few bits.
PacketId packet_id_for(MessageId id) {
  const std::uint64_t mixed = static_cast<std::uint64_t>(id.value) * 0x9E3779B97F4A7C15;
  return Session::packet_id_of(mixed >> 32);
}

}  // namespace

bool Broker::State::may_leave(Session& session, std::uint32_t position) {
  const Delivery& next = session.deliveries[position];
  if (!session.has_storage()) return true;
  if (next.qos == Qos::AtLeastOnce) return has_lasting_id(session, position);
  if (next.packet_id == 0) number(session, position);
  number_ahead(session);
  if (!next.is_committed) return false;
  // By its id, not by its record: a page of the queue does not say what is provisional.
  if (provisional.empty()) return true;
  const auto found = provisional.find(next.message->record->id);
  if (found == provisional.end()) return true;
  found->second.sessions.push_back(session.key());
  return false;
}

bool Broker::State::has_lasting_id(Session& session, std::uint32_t position) {
  const Delivery& next = session.deliveries[position];
  if (next.packet_id != 0) return next.is_committed;  // else it is being written down
  const PacketId computed = session.packet_id_at(position);
  if (!next.is_stored && !session.restored.contains(computed.value)) return true;
  const PacketId usual = next.is_stored ? packet_id_for(next.message->record->id) : computed;
  if (!take_id(session, position, usual)) return false;
  Delivery& taken = session.deliveries[position];
  taken.is_committed = !taken.is_stored || taken.packet_id == usual.value;
  if (!taken.is_committed) write_down_id(session, position);
  return taken.is_committed;
}

/// QoS 2. The message's packet id is on its way to storage; on_started() follows.
void Broker::State::number(Session& session, std::uint32_t position) {
  if (!take_id(session, position, session.packet_id_at(position))) return;
  if (!session.deliveries[position].is_stored) store_offered(session, position);
  write_down_id(session, position);
}

/// False: 65,535 are taken.
bool Broker::State::take_id(Session& session, std::uint32_t position, PacketId wanted) {
  const auto id = session.free_id(wanted);
  if (!id) return false;
  const std::uint64_t number = session.first_number + position;
  if (*id != Session::packet_id_of(number)) session.restored[id->value] = number;
  session.deliveries[position].packet_id = id->value;
  return true;
}

void Broker::State::write_down_id(Session& session, std::uint32_t position) {
  const Delivery& next = session.deliveries[position];
  ledger.open().started.push_back({session.client_id, next.message->record->id, {next.packet_id}, false});
  ledger.waiting().started.emplace_back(session.key(), session.first_number + position);
}

/// What follows soon gets its id in the same commit.
void Broker::State::number_ahead(Session& session) {
  const std::uint64_t window = session.first_number + session.sent + limits.max_inflight;
  const std::uint64_t end = std::min(session.first_number + session.deliveries.size(), window);
  session.numbered = std::max(session.numbered, session.first_number + session.sent);
  for (; session.numbered < end; ++session.numbered) {
    const auto position = static_cast<std::uint32_t>(session.numbered - session.first_number);
    if (position >= Session::kPacketIds) return;
    const Delivery& next = session.deliveries[position];
    if (next.qos == Qos::ExactlyOnce && next.step == Delivery::Step::Queued && next.packet_id == 0)
      number(session, position);
  }
}

void Broker::State::on_started(Session& session, std::uint64_t number, Now now) {
  if (!session.has_delivery(number)) return;
  Delivery& started = session.delivery(number);
  if (started.packet_id == 0 || started.step == Delivery::Step::Done) return;
  started.is_committed = true;
  if (started.step != Delivery::Step::Received) return pump(session, now);
  if (Connection* connection = connection_of(session))
    send_pubrel(*connection, {started.packet_id}, ReasonCode::Success);
}

/// A row of the queue as storage has it joins the deliveries.
void Broker::State::restore(Session& session, const QueuedMessage& row, Delivery owed) {
  if (session.doubtful_count > 0) {
    --session.doubtful_count;
    owed.is_doubtful = row.qos == Qos::AtLeastOnce && owed.message->record->at <= session.doubtful_until;
  }
  if (row.packet_id.value == 0) return session.append(std::move(owed));
  owed.packet_id = row.packet_id.value;
  owed.is_again = owed.is_committed = true;
  if (row.is_received) owed.step = Delivery::Step::Received;
  session.append(std::move(owed));
  session.restored[row.packet_id.value] = session.first_number + session.deliveries.size() - 1;
  if (!row.is_received) return;
  ++session.inflight;
  send_pubrel(*connection_of(session), row.packet_id, ReasonCode::Success);
}

}  // namespace wake::broker
