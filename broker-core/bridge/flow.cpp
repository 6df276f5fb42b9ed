#include "broker-core/bridge/flow.hpp"

#include <algorithm>
#include <utility>

namespace wake::broker {

namespace {

constexpr std::size_t kMaxTopicInLog = 256;

Ack make_ack(PacketType type, PacketId id, ReasonCode reason = ReasonCode::Success) {
  return {type, id, reason, {}, {}};
}

}  // namespace

void Flow::begin() {
  entries_.clear();
  held_.clear();
  held_bytes_ = 0;
  must_release_ = carries_qos2_;
}

// ---- from the sender

void Flow::carry(CarriedMessage message, PacketId id, bool dup, Now now) {
  if (message.qos == Qos::AtMostOnce) return hold_or_send(std::move(message), now);
  if (Entry* known = find_from(id)) {
    const bool has_passed = known->step >= Entry::Step::Received;
    const bool is_same = dup && known->message.topic == message.topic &&
                         (has_passed || known->message.payload == message.payload);
    // Sent again by a sender that came back: it is on its way, only a PUBREC may have been lost.
    if (is_same && has_passed) answer(PacketType::Pubrec, *known);
    if (is_same) return;
    // A broker that was killed may number anew and still say that it has the session.
    forget_sender(*known);
  }
  Entry entry;
  entry.message = std::move(message);
  entry.sender_id = id;
  entries_.push_back(std::move(entry));
  pump(now);
}

void Flow::pass_over(PacketId id, Qos qos) {
  if (qos == Qos::AtLeastOnce) sender_.send(make_ack(PacketType::Puback, id));
  if (qos == Qos::ExactlyOnce) sender_.send(make_ack(PacketType::Pubrec, id));
}

void Flow::turn_away(std::string_view topic, const std::string& why, PacketId id, Qos qos) {
  refuse(topic, why);
  pass_over(id, qos);
}

void Flow::on_pubrel(PacketId id) {
  Entry* entry = find_from(id);
  if (!entry || entry->step < Entry::Step::Received) {
    // Of a message passed over, or the PUBCOMP was lost: v5 [MQTT-4.3.3-11] wants one in any case.
    if (entry) entry->has_sender = false;
    return sender_.send(make_ack(PacketType::Pubcomp, id));
  }
  if (entry->slot != 0) return release(*entry);
  answer(PacketType::Pubcomp, *entry);
  erase(*entry);
}

void Flow::on_sender_up() {
  if (sender_.has_session()) return;
  for (std::size_t i = entries_.size(); i-- > 0;) forget_sender(entries_[i]);
}

// ---- from the receiver

std::optional<std::string> Flow::on_ack(const Ack& ack, Now now) {
  Entry* entry = find_sent(ack.packet_id);
  const bool is_first_answer =
      entry && entry->step == Entry::Step::Sent &&
      ack.type == (entry->qos == Qos::ExactlyOnce ? PacketType::Pubrec : PacketType::Puback);
  if (is_first_answer) {
    const bool is_for_now =
        ack.reason == ReasonCode::QuotaExceeded || ack.reason == ReasonCode::PacketIdentifierInUse;
    if (is_for_now) return entry->message.topic + ": " + std::string(to_string(ack.reason));
    if (is_failure(ack.reason)) {
      refuse(entry->message.topic, std::string(to_string(ack.reason)));
    } else {
      ++counters_.carried;
      took_one(now);
    }
    passed_on(*entry, ack.type == PacketType::Pubrec && !is_failure(ack.reason));
  } else if (ack.type == PacketType::Pubrec) {
    // Said again, or of a slot that was released: its PUBREL is all that is missing.
    if (!entry || entry->step == Entry::Step::Releasing)
      receiver_.send(make_ack(PacketType::Pubrel, ack.packet_id));
  } else if (ack.type == PacketType::Pubcomp && entry && entry->step == Entry::Step::Releasing) {
    if (entry->has_sender) answer(PacketType::Pubcomp, *entry);
    erase(*entry);
  }
  pump(now);
  return std::nullopt;
}

void Flow::on_receiver_up(Now now) {
  taken_at_.reset();
  is_trial_ = false;
  if (std::exchange(must_release_, false) && receiver_.has_session()) {
    for (std::uint16_t slot = 1; slot <= kWindow; ++slot) {
      receiver_.send(make_ack(PacketType::Pubrel, {slot}));
    }
  }
  for (Entry& entry : entries_) {
    if (entry.step == Entry::Step::Sent) entry.step = Entry::Step::Waiting;
    if (entry.step == Entry::Step::Releasing) release(entry);
  }
  pump(now);
}

void Flow::on_receiver_alive(Now now) {
  if (!taken_at_ || !has_parked()) return;
  if (now.steady - *taken_at_ < kProbation) return receiver_.ask_soon(kProbation, now);
  is_trial_ = true;
  pump(now);
}

bool Flow::on_receiver_lost(bool is_its_doing) {
  counters_.dropped += held_.size();
  held_.clear();
  held_bytes_ = 0;
  if (!is_its_doing) return false;
  const auto first =
      std::ranges::find_if(entries_, [](const Entry& entry) { return entry.step == Entry::Step::Sent; });
  if (first == entries_.end() || !first->is_parked()) {
    for (Entry& entry : entries_) entry.trials = 0;
  }
  return first != entries_.end() && close_over(*first);
}

// ---- between

/// True: in a trial. May erase the entry.
bool Flow::close_over(Entry& entry) {
  const bool is_trial = is_trial_ && entry.is_parked();
  ++entry.closes;
  if (!is_trial || ++entry.trials < kMaxTrials) return is_trial;
  refuse(entry.message.topic, "closes the connection over it, and over no other");
  // At QoS 2 it may have kept the packet id all the same.
  passed_on(entry, entry.qos == Qos::ExactlyOnce);
  return true;
}

/// The probation of this connection begins.
void Flow::took_one(Now now) {
  if (taken_at_) return;
  taken_at_ = now.steady;
  if (has_parked()) receiver_.ask_soon(kProbation, now);
}

bool Flow::has_parked() const {
  return std::ranges::any_of(
      entries_, [](const Entry& entry) { return entry.step <= Entry::Step::Sent && entry.is_parked(); });
}

/// While any message is suspected: the one that goes out alone.
Flow::Entry* Flow::find_lone() {
  if (is_trial_) return find_trial();
  Entry* suspect = nullptr;
  Entry* least_closed = nullptr;
  for (Entry& entry : entries_) {
    if (entry.step > Entry::Step::Sent) continue;
    if (!suspect && entry.closes != 0 && !entry.is_parked()) suspect = &entry;
    if (!least_closed || entry.closes < least_closed->closes) least_closed = &entry;
  }
  return taken_at_ || !has_parked() ? suspect : least_closed;
}

/// The parked one against which there is most.
Flow::Entry* Flow::find_trial() {
  Entry* most = nullptr;
  for (Entry& entry : entries_) {
    if (entry.step > Entry::Step::Sent || !entry.is_parked()) continue;
    if (!most || entry.trials > most->trials) most = &entry;
  }
  return most;
}

Flow::Entry* Flow::find_sent(PacketId slot) {
  const auto found = std::ranges::find_if(
      entries_, [&](const Entry& entry) { return slot.value != 0 && entry.slot == slot.value; });
  return found == entries_.end() ? nullptr : &*found;
}

Flow::Entry* Flow::find_from(PacketId sender_id) {
  const auto found = std::ranges::find_if(
      entries_, [&](const Entry& entry) { return entry.has_sender && entry.sender_id == sender_id; });
  return found == entries_.end() ? nullptr : &*found;
}

void Flow::erase(const Entry& entry) {
  std::erase_if(entries_, [&](const Entry& other) { return &other == &entry; });
}

/// Its id means nothing to the sender any more: nobody will say PUBREL. May erase the entry.
void Flow::forget_sender(Entry& entry) {
  entry.has_sender = false;
  if (entry.step != Entry::Step::Received) return;
  if (entry.slot == 0) return erase(entry);
  release(entry);
}

std::uint16_t Flow::free_slot() const {
  std::array<bool, kWindow + 1> is_taken{};
  for (const Entry& entry : entries_) is_taken[entry.slot] = true;
  for (std::uint16_t slot = 1; slot <= kWindow; ++slot) {
    if (!is_taken[slot]) return slot;
  }
  return 0;
}

PublishParts Flow::parts_of(const CarriedMessage& message, Qos qos, Now now) const {
  PublishParts parts;
  parts.version = receiver_.version();
  parts.qos = qos;
  parts.retain = message.retain && receiver_.takes_retained();  // else v5 [MQTT-3.2.2-14]
  parts.topic = message.topic;
  parts.payload = as_bytes(message.payload);
  parts.forwardable_properties = message.properties;
  if (message.expires_at) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(*message.expires_at - now.steady);
    parts.message_expiry_s = static_cast<std::uint32_t>(std::max<std::int64_t>(left.count(), 1));
  }
  return parts;
}

void Flow::hold_or_send(CarriedMessage&& message, Now now) {
  const std::size_t bytes = message.topic.size() + message.payload.size() + message.properties.size();
  const bool must_wait = receiver_.is_up() && find_lone() && held_bytes_ + bytes <= kHighWater;
  if (!must_wait) return send_at_most_once(message, now);
  held_bytes_ += bytes;
  held_.push_back(std::move(message));
}

void Flow::send_held(Now now) {
  for (const CarriedMessage& message : std::exchange(held_, {})) send_at_most_once(message, now);
  held_bytes_ = 0;
}

void Flow::send_at_most_once(const CarriedMessage& message, Now now) {
  const PublishParts parts = parts_of(message, Qos::AtMostOnce, now);
  const bool is_expired = message.expires_at && *message.expires_at <= now.steady;
  if (!receiver_.is_up() || receiver_.output().size() > kHighWater || find_lone() || is_expired) {
    ++counters_.dropped;
  } else if (publish_packet_bytes(parts) > receiver_.max_packet_bytes()) {
    refuse(message.topic, "larger than its broker takes");
  } else {
    receiver_.send(make_publish_template(parts), {}, false);
    ++counters_.carried;
  }
}

/// False: there is nothing to wait for, the message has been acknowledged to the sender.
bool Flow::start(Entry& entry, Now now) {
  if (!entry.was_sent && entry.message.expires_at && *entry.message.expires_at <= now.steady) {
    ++counters_.dropped;
    return false;
  }
  const Qos qos = std::min(entry.message.qos, receiver_.maximum_qos());
  if (qos == Qos::AtMostOnce) {
    send_at_most_once(entry.message, now);
    return false;
  }
  const PublishParts parts = parts_of(entry.message, qos, now);
  if (publish_packet_bytes(parts) > receiver_.max_packet_bytes()) {
    refuse(entry.message.topic, "larger than its broker takes");
    return false;
  }
  if (entry.slot == 0) entry.slot = free_slot();
  receiver_.send(make_publish_template(parts), {entry.slot}, entry.was_sent && receiver_.has_session());
  entry.qos = qos;
  entry.was_sent = true;
  entry.step = Entry::Step::Sent;
  return true;
}

void Flow::pump(Now now) {
  if (!receiver_.is_up()) return;
  const auto is_sent = [](const Entry& entry) { return entry.step == Entry::Step::Sent; };
  while (Entry* lone = find_lone()) {
    if (std::ranges::any_of(entries_, is_sent) || !receiver_.has_answers()) return;
    if (start(*lone, now)) return;
    passed_on(*lone, false);
  }
  send_held(now);
  const std::size_t window = std::min(receiver_.receive_maximum(), kWindow);
  const auto is_out = [](const Entry& entry) {
    return entry.slot != 0 && entry.step != Entry::Step::Waiting;
  };
  auto out = static_cast<std::size_t>(std::ranges::count_if(entries_, is_out));
  for (std::size_t i = 0; i < entries_.size() && out < window;) {
    Entry& entry = entries_[i];
    if (entry.step != Entry::Step::Waiting || entry.is_parked()) {
      ++i;
    } else if (start(entry, now)) {
      ++out;
      ++i;
    } else {
      const std::size_t before = entries_.size();
      passed_on(entry, false);
      if (entries_.size() == before) ++i;
    }
  }
}

/// The receiver has it (or never will): now the sender may know. May erase the entry.
void Flow::passed_on(Entry& entry, bool needs_release) {
  if (!needs_release) entry.slot = 0;
  const bool is_over = entry.message.qos == Qos::AtLeastOnce || (!needs_release && !entry.has_sender);
  if (entry.has_sender) {
    answer(entry.message.qos == Qos::AtLeastOnce ? PacketType::Puback : PacketType::Pubrec, entry);
  }
  if (is_over) return erase(entry);
  entry.step = Entry::Step::Received;
  entry.message.payload = {};
  if (!entry.has_sender) release(entry);
}

void Flow::release(Entry& entry) {
  entry.step = Entry::Step::Releasing;
  if (receiver_.is_up()) receiver_.send(make_ack(PacketType::Pubrel, {entry.slot}));
}

/// A sender that is away hears it when it sends again.
void Flow::answer(PacketType type, const Entry& entry) {
  if (sender_.is_up()) sender_.send(make_ack(type, entry.sender_id));
}

void Flow::refuse(std::string_view topic, const std::string& why) {
  ++counters_.refused;
  refusals_.push_back(std::string(topic.substr(0, kMaxTopicInLog)) + ": " + why);
}

}  // namespace wake::broker
